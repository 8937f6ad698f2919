import { useId, useState } from 'preact/hooks';
import type { DeadGrants, Session } from '../../../wire/types.js';
import { isEndpointName, readEndpoints } from '../endpoints.js';
import { t } from '../i18n.js';
import { Button } from '../parts/button.js';
import { Choice as Box, Search } from '../parts/fields.js';
import { Icon } from '../parts/icon.js';
import { Failed, Loading } from '../parts/page.js';
import { useRead } from '../use-read.js';
import { type Choice, deadOf, type EndpointType } from './grants.js';

/** With more endpoints than this there is a search box. */
const FEW = 8;
/** As many are shown at first: the list grows with the form, and never scrolls in itself. */
const SHOWN = 10;

interface EndpointPickerProps {
  readonly type: EndpointType;
  readonly session: Session;
  readonly dead: DeadGrants;
  readonly value: Choice;
  /** Whether the token has all of them now: then they may stay, whoever changes it. */
  readonly hadAll: boolean;
  readonly onChange: (value: Choice) => void;
}

/** All endpoints, or some of them by name. */
export function EndpointPicker({ type, session, dead, value, hadAll, onChange }: EndpointPickerProps) {
  const name = useId();
  const { noun } = type;
  const { all } = value;
  return (
    <div class="endpoints">
      <Box
        type="radio"
        name={name}
        label={noun === null ? t('form.all') : t('form.allOf', { noun })}
        hint={t('form.allHint')}
        checked={all}
        off={session.grants.endpoints !== '*' && !hadAll}
        onChange={() => onChange({ ...value, all: true })}
      />
      <Box
        type="radio"
        name={name}
        label={noun === null ? t('form.chosen') : t('form.chosenOf', { noun })}
        checked={!all}
        onChange={() => onChange({ ...value, all: false })}
      />
      {!all && <Some session={session} dead={deadOf(type.name, dead)} value={value} onChange={onChange} />}
    </div>
  );
}

type SomeProps = Pick<EndpointPickerProps, 'session' | 'value' | 'onChange'> & { readonly dead: readonly string[] };

function Some({ session, dead, value, onChange }: SomeProps) {
  const { can, grants } = session;
  const choose = (chosen: readonly string[]) => onChange({ ...value, chosen });
  const chosen = value.chosen.length > 0 && (
    <ul class="chips">
      {value.chosen.map((id) => (
        <li key={id}>
          <span class="mono">{id}</span>
          <button
            type="button"
            aria-label={t('form.take', { name: id })}
            onClick={() => choose(value.chosen.filter((other) => other !== id))}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
  if (!can.readEndpoints && grants.endpoints === '*') {
    return (
      <div class="endpoint-list">
        {chosen}
        <NameInput add={(id) => choose([...new Set([...value.chosen, id])])} />
      </div>
    );
  }
  return (
    <div class="endpoint-list">
      {chosen}
      <List session={session} dead={dead} chosen={value.chosen} choose={choose} />
    </div>
  );
}

/** For who may grant every endpoint, and see none. */
function NameInput({ add }: { readonly add: (id: string) => void }) {
  const id = useId();
  const [text, setText] = useState('');
  const isName = isEndpointName(text.trim());
  function onAdd(): void {
    if (!isName) return;
    add(text.trim());
    setText('');
  }
  return (
    <>
      <p class="hint">{t('form.mayNotList')}</p>
      <div class="copy-row">
        <input
          id={id}
          class="mono"
          aria-label={t('form.addName')}
          value={text}
          spellcheck={false}
          autocomplete="off"
          onInput={({ currentTarget }) => setText(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            // It would send the form.
            event.preventDefault();
            onAdd();
          }}
        />
        <Button off={!isName} onClick={onAdd}>
          {t('form.add')}
        </Button>
      </div>
    </>
  );
}

interface ListProps {
  readonly session: Session;
  readonly dead: readonly string[];
  readonly chosen: readonly string[];
  readonly choose: (chosen: readonly string[]) => void;
}

function List({ session, dead, chosen, choose }: ListProps) {
  const [search, setSearch] = useState('');
  const [most, setMost] = useState(SHOWN);
  /** A caller may take away a grant that they could not give. */
  const [before] = useState(chosen);
  const { state, again, ...read } = useRead((signal) => namesFor(session, signal), []);
  if (state === 'failed') return <Failed error={'error' in read && read.error} retry={again} />;
  if (state === 'loading' || !('value' in read)) return <Loading />;
  const every = [...new Set([...read.value, ...before])].sort();
  if (every.length === 0) {
    return <p class="hint">{t(session.can.manageEndpoints ? 'form.noEndpoints' : 'form.noEndpointsReader')}</p>;
  }
  const found = every.filter((id) => id.toLowerCase().includes(search.trim().toLowerCase()));
  const shown = found.slice(0, most);
  return (
    <>
      {every.length > FEW && <Search label={t('form.find')} value={search} onInput={setSearch} />}
      {found.length === 0 && <p class="hint">{t('form.noneFound')}</p>}
      <div class="endpoint-choices">
        {shown.map((id) => (
          <Box
            key={id}
            label={<span class="mono">{id}</span>}
            {...(dead.includes(id) && { hint: t('form.renewed') })}
            checked={chosen.includes(id)}
            onChange={(on) => choose(on ? [...chosen, id] : chosen.filter((other) => other !== id))}
          />
        ))}
      </div>
      {found.length > shown.length && (
        <Button kind="link" onClick={() => setMost(most + 10 * SHOWN)}>
          {t('form.showMore', { count: found.length - shown.length })}
        </Button>
      )}
    </>
  );
}

/** The endpoints that the caller may see and grant. */
async function namesFor({ can, grants }: Session, signal: AbortSignal): Promise<readonly string[]> {
  const { endpoints } = grants;
  if (!can.readEndpoints) return endpoints === '*' ? [] : endpoints;
  const ids = (await readEndpoints(signal)).map(({ id }) => id);
  return endpoints === '*' ? ids : ids.filter((id) => endpoints.includes(id));
}
