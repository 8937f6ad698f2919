import type { DailyUse } from '../../../wire/types.js';
import { t, tx } from '../i18n.js';
import { usePage } from '../page-context.js';
import { Failed, Loading, PageHead, Section } from '../parts/page.js';
import { Table } from '../parts/table.js';
import { Foreign, Quiet } from '../parts/text.js';
import { readDays, SHOWN_DAYS } from '../tokens/calls.js';
import { Days, sumBy } from '../tokens/usage.js';
import { useRead } from '../use-read.js';
import { inDigits } from '../words.js';

/** The uses of all tokens of the organization: by day, by endpoint and by scope. */
export function UsagePage() {
  const { session } = usePage();
  const read = useRead((signal) => readDays(null, signal), []);
  return (
    <div class="page">
      <PageHead
        title={t('nav.usage')}
        lead={tx('usage.lead', { organization: <Foreign text={session.organization.name} />, count: SHOWN_DAYS })}
      />
      {read.state === 'loading' && <Loading />}
      {read.state === 'failed' && <Failed error={read.error} retry={read.again} />}
      {read.state === 'read' && <Uses uses={read.value} />}
    </div>
  );
}

function Uses({ uses }: { readonly uses: readonly DailyUse[] }) {
  return (
    <>
      <Section title={t('usage.days')}>
        <Days uses={uses} />
      </Section>
      <Sums
        title={t('usage.endpoints')}
        label={t('token.endpoint')}
        sums={sumBy(uses, ({ endpoint }) => [endpoint ?? ''])}
      />
      <Sums title={t('usage.scopes')} label={t('usage.scope')} sums={sumBy(uses, ({ scopes }) => scopes)} />
    </>
  );
}

interface SumsProps {
  readonly title: string;
  readonly label: string;
  readonly sums: ReadonlyMap<string, number>;
}

/** The most used first. The empty name: calls without an endpoint. */
function Sums({ title, label, sums }: SumsProps) {
  if (sums.size === 0) return null;
  return (
    <Section title={title}>
      <Table
        caption={title}
        columns={[
          {
            label,
            kind: 'head',
            cell: ([name]) => (name === '' ? <Quiet>{t('token.apiCalls')}</Quiet> : <Foreign text={name} mono />),
          },
          { label: t('token.calls'), kind: 'number', cell: ([, count]) => inDigits(count) },
        ]}
        rows={[...sums].sort(([, a], [, b]) => b - a)}
        keyOf={([name]) => name}
      />
    </Section>
  );
}
