import { render } from 'preact';
import { useState } from 'preact/hooks';
import { Unreachable } from '../../../../src/management/console/client/api.js';
import { PageProvider } from '../../../../src/management/console/client/page-context.js';
import { Badge } from '../../../../src/management/console/client/parts/badge.js';
import { Button } from '../../../../src/management/console/client/parts/button.js';
import { DayChart } from '../../../../src/management/console/client/parts/chart.js';
import { CopyRow, CopyValue } from '../../../../src/management/console/client/parts/copy.js';
import { Dialogs } from '../../../../src/management/console/client/parts/dialog.js';
import {
  Choice,
  Filter,
  RadioField,
  Search,
  SelectField,
  TextField,
} from '../../../../src/management/console/client/parts/fields.js';
import { Menu } from '../../../../src/management/console/client/parts/menu.js';
import {
  Empty,
  Facts,
  Failed,
  Loading,
  Notice,
  PageHead,
  Section,
} from '../../../../src/management/console/client/parts/page.js';
import { announce, StatusRegion } from '../../../../src/management/console/client/parts/status.js';
import { Table } from '../../../../src/management/console/client/parts/table.js';
import { Tabs } from '../../../../src/management/console/client/parts/tabs.js';
import { Ago, Day, Foreign, Moment, Quiet } from '../../../../src/management/console/client/parts/text.js';

import { DialogButtons, nothing, Row } from './dialogs.js';

/* Every part of the console in every state, without a server. `?dialog=form` and its like open a dialog at once. */

const ROWS = [
  { name: 'ci', tone: 'active', word: 'Active', calls: 12_345 },
  {
    name: 'a name that is so long that it must be wrapped somewhere on a narrow screen',
    tone: 'warning',
    word: 'Expires soon',
    calls: 7,
  },
  { name: 'gone', tone: 'danger', word: 'Revoked', calls: 0 },
] as const;
const DAYS = Array.from({ length: 30 }, (_, index) => ({
  day: new Date(Date.UTC(2026, 10, index + 1)).toISOString().slice(0, 10),
  count: (index * 37) % 53,
}));

function Design() {
  return (
    <div class="page">
      <PageHead
        title="The parts of the console"
        lead="Each in every state. A color never stands without its word."
        actions={
          <>
            <Button>Second action</Button>
            <Button kind="primary">Main action</Button>
          </>
        }
      />
      <Type />
      <Buttons />
      <Meanings />
      <Fields />
      <Lists />
      <Remarks />
      <Section title="Chart">
        <DayChart label="Uses by day" days={DAYS} />
        <DayChart label="Nothing used" days={DAYS.map(({ day }) => ({ day, count: 0 }))} />
      </Section>
      <DialogButtons />
    </div>
  );
}

function Type() {
  return (
    <Section title="Type and text">
      <h1>A title of a page, 26 px</h1>
      <h2>A title of a section, 17 px</h2>
      <h3>A title in a section, 15 px</h3>
      <p>
        Text of 15 px, with <Quiet>quiet words</Quiet>, <code>code</code>, a <a href="#fields">link to the fields</a>,
        and <Foreign text={'someone’s\u202Etext'} />.
      </p>
      <p class="hint">A hint of 13 px, below what it explains.</p>
      <p class="sentence">
        <strong>This token can call summarizer.</strong> It works until Friday, 4 December 2026.
      </p>
      <Facts
        facts={[
          { label: 'A day', value: <Day at="2026-11-30T10:00:00Z" /> },
          { label: 'A time since', value: <Ago at="2026-11-01T10:00:00Z" /> },
          { label: 'A moment', value: <Moment at="2027-11-30T10:00:00Z" /> },
          { label: 'Never', value: <Day at={null} /> },
          { label: 'A value to copy', value: <CopyValue what="Id" text="0G2nX4bQ8sT1" /> },
        ]}
      />
    </Section>
  );
}

function Buttons() {
  return (
    <Section title="Buttons">
      <Row>
        <Button kind="primary">Primary</Button>
        <Button>Usual</Button>
        <Button kind="plain">Plain</Button>
        <Button kind="link">Link</Button>
        <Button kind="danger">Danger</Button>
        <Button kind="danger-plain">Danger, plain</Button>
      </Row>
      <Row>
        <Button kind="primary" off>
          Primary, off
        </Button>
        <Button off>Usual, off</Button>
        <Button kind="danger" off>
          Danger, off
        </Button>
        <Menu
          label="More for ci"
          items={[
            { label: 'Update', run: nothing },
            { label: 'Rotate', run: nothing },
            { label: 'Revoke', danger: true, run: nothing },
          ]}
        />
      </Row>
    </Section>
  );
}

function Meanings() {
  return (
    <Section title="Colors and their meaning">
      <Row>
        <Badge tone="active">Active</Badge>
        <Badge tone="warning">Expires soon</Badge>
        <Badge tone="idle">Idle</Badge>
        <Badge tone="ended">Expired</Badge>
        <Badge tone="danger">Revoked</Badge>
        <Badge tone="plain">Private</Badge>
      </Row>
    </Section>
  );
}

function Fields() {
  const [text, setText] = useState('');
  const [radio, setRadio] = useState<'a' | 'b'>('a');
  const [on, setOn] = useState(true);
  return (
    <Section title="Fields">
      <TextField label="Name" hint="Its purpose." required value={text} onInput={setText} />
      <TextField label="Name in error" required value="" error="Give the token a name." onInput={nothing} />
      <TextField label="Description" multiline value="Several lines" onInput={nothing} />
      <TextField label="Endpoint" mono required value="summarizer" onInput={nothing} />
      <SelectField label="Expires" value="30" options={[['30', 'In 30 days']]} hint="A hint." onChange={nothing} />
      <SelectField
        label="Expires in error"
        value="30"
        options={[['30', 'On a date']]}
        error="Choose a day."
        onChange={nothing}
      />
      <RadioField
        label="Belongs to"
        value={radio}
        options={[
          { value: 'a', label: 'Me', hint: 'Ends when I leave.' },
          { value: 'b', label: 'The organization' },
        ]}
        onChange={setRadio}
      />
      <Choice label="A box" hint="With a hint" checked={on} onChange={setOn} />
      <Choice label="A box, off" checked off onChange={nothing} />
      <Choice type="switch" label="A switch" hint="With a hint" checked={on} onChange={setOn} />
      <Choice type="switch" label="A switch that is not on" checked={!on} onChange={nothing} />
      <Choice type="switch" label="A switch, off" checked={false} off onChange={nothing} />
      <CopyRow
        label="Token"
        text="pst_0000000000000000000000000000000000000000000000000"
        action="Copy"
        onCopied={nothing}
      />
    </Section>
  );
}

function Lists() {
  const [tab, setTab] = useState<'one' | 'two'>('one');
  return (
    <>
      <Tabs
        label="Lists"
        items={[
          ['one', 'Personal tokens'],
          ['two', 'Organization tokens'],
        ]}
        selected={tab}
        onSelect={setTab}
      >
        <search class="toolbar">
          <Search label="Search by name" value="" onInput={nothing} />
          <div class="filters">
            <Filter label="Status" value="" options={[['', 'Any status']]} onChange={nothing} />
          </div>
        </search>
        <Table
          caption="Tokens"
          columns={[
            { label: 'Name', kind: 'head', cell: ({ name }) => <Foreign text={name} /> },
            { label: 'Status', cell: ({ tone, word }) => <Badge tone={tone}>{word}</Badge> },
            { label: 'Calls', kind: 'number', cell: ({ calls }) => calls },
            {
              label: 'Actions',
              kind: 'actions',
              cell: ({ name }) => <Menu label={`More for ${name}`} items={[{ label: 'Open', run: nothing }]} />,
            },
          ]}
          rows={ROWS}
          keyOf={({ name }) => name}
          isSelected={({ name }) => name === 'ci'}
        />
      </Tabs>
      <Empty title="No token matches" action={<Button>Clear the filters</Button>}>
        No token has all that you asked for.
      </Empty>
      <Failed error={new Unreachable('The server could not be reached.')} retry={nothing} />
      <Loading />
    </>
  );
}

function Remarks() {
  return (
    <Section title="Remarks">
      <Notice>A note: something that is good to know.</Notice>
      <Notice tone="warning">A warning: something may be lost.</Notice>
      <Notice tone="danger">Danger: this opens a door, or can’t be undone.</Notice>
      <Button onClick={() => announce('ci is revoked.')}>Show a message</Button>
    </Section>
  );
}

const surroundings = { session: {} as never, signedOut: nothing, opened: false, go: nothing };

render(
  <PageProvider value={surroundings}>
    <main>
      <Design />
    </main>
    <StatusRegion />
    <Dialogs />
  </PageProvider>,
  document.querySelector('#app') as HTMLElement,
);
