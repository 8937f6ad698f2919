import { useState } from 'preact/hooks';
import type { Access, Endpoint } from '../../../wire/types.js';
import { MOST_ENDPOINTS, readEndpoints } from '../endpoints.js';
import { t, tx } from '../i18n.js';
import { usePage } from '../page-context.js';
import { Badge, type Tone } from '../parts/badge.js';
import { Button } from '../parts/button.js';
import { giveFocusBack, openDialog } from '../parts/dialog.js';
import { Filter, Search } from '../parts/fields.js';
import { Menu } from '../parts/menu.js';
import { Empty, Failed, Loading, PageHead } from '../parts/page.js';
import { announce } from '../parts/status.js';
import { type Column, Table } from '../parts/table.js';
import { Day, Foreign } from '../parts/text.js';
import { useRead } from '../use-read.js';
import { ChangeAccess, CreateEndpoint, DeleteEndpoint } from './endpoint-dialogs.js';

/** Public is open to everyone, so it stands out. */
const TONES: Readonly<Record<Access, Tone>> = { public: 'danger', protected: 'active', private: 'plain' };

/** The organization's endpoints with their access. */
export function EndpointsPage() {
  const { session } = usePage();
  return (
    <div class="page">
      {session.can.readEndpoints ? (
        <Shown />
      ) : (
        <>
          <PageHead title={t('nav.endpoints')} />
          <Empty title={t('endpoints.mayNot')}>{t('endpoints.mayNotText')}</Empty>
        </>
      )}
    </div>
  );
}

function Shown() {
  const { session } = usePage();
  const may = session.can.manageEndpoints;
  const list = useRead((signal) => readEndpoints(signal), []);
  const [search, setSearch] = useState('');
  const [access, setAccess] = useState<Access | ''>('');

  function finished(message: string): void {
    announce(message);
    list.again();
  }

  const created = ({ id }: Endpoint) => finished(t('done.created', { name: id }));
  return (
    <>
      <PageHead
        title={t('nav.endpoints')}
        lead={tx('endpoints.lead', { organization: <Foreign text={session.organization.name} /> })}
        actions={
          may && (
            <Button
              kind="primary"
              onClick={() => openDialog((close) => <CreateEndpoint close={close} done={created} />)}
            >
              {t('endpoints.create')}
            </Button>
          )
        }
      />
      <search class="toolbar">
        <Search label={t('endpoints.find')} value={search} onInput={setSearch} />
        <div class="filters">
          <Filter<Access | ''>
            label={t('endpoints.access')}
            value={access}
            options={[
              ['', t('endpoints.anyAccess')],
              ...(['public', 'protected', 'private'] as const).map((each) => [each, t(`access.${each}`)] as const),
            ]}
            onChange={setAccess}
          />
        </div>
      </search>
      <div aria-busy={list.busy}>
        {list.state === 'loading' && <Loading />}
        {list.state === 'failed' && <Failed error={list.error} retry={list.again} />}
        {list.state === 'read' && (
          <EndpointList
            endpoints={list.value}
            fits={(each) =>
              each.id.toLowerCase().includes(search.trim().toLowerCase()) && (access === '' || each.access === access)
            }
            may={may}
            finished={finished}
          />
        )}
      </div>
    </>
  );
}

interface EndpointListProps {
  readonly endpoints: readonly Endpoint[];
  readonly fits: (endpoint: Endpoint) => boolean;
  readonly may: boolean;
  readonly finished: (message: string) => void;
}

function EndpointList({ endpoints, fits, may, finished }: EndpointListProps) {
  if (endpoints.length === 0) {
    return <Empty title={t('endpoints.none')}>{t(may ? 'endpoints.noneText' : 'endpoints.noneReader')}</Empty>;
  }
  const found = endpoints.filter(fits);
  if (found.length === 0) return <Empty title={t('endpoints.noMatch')}>{t('endpoints.noMatchText')}</Empty>;
  const columns: readonly Column<Endpoint>[] = [
    { label: t('endpoints.name'), kind: 'head', cell: ({ id }) => <Foreign text={id} mono /> },
    {
      label: t('endpoints.access'),
      cell: ({ access }) => <Badge tone={TONES[access]}>{t(`access.${access}`)}</Badge>,
    },
    { label: t('endpoints.who'), kind: 'wide', cell: ({ access }) => t(`access.${access}Hint`) },
    { label: t('endpoints.created'), cell: ({ created_at }) => <Day at={created_at} /> },
    { label: t('endpoints.updated'), cell: ({ updated_at }) => <Day at={updated_at} /> },
    ...(may
      ? [
          {
            label: t('tokens.actions'),
            kind: 'actions' as const,
            cell: (endpoint: Endpoint) => <Actions endpoint={endpoint} finished={finished} />,
          },
        ]
      : []),
  ];
  const isPart = endpoints.length >= MOST_ENDPOINTS;
  return (
    <>
      <Table caption={t('nav.endpoints')} columns={columns} rows={found} keyOf={({ id }) => id} />
      <p class="quiet after">
        {isPart ? t('endpoints.first', { count: endpoints.length }) : t('endpoints.count', { count: found.length })}
      </p>
    </>
  );
}

interface ActionsProps {
  readonly endpoint: Endpoint;
  readonly finished: (message: string) => void;
}

function Actions({ endpoint, finished }: ActionsProps) {
  const { id } = endpoint;
  const changed = ({ access }: Endpoint) =>
    finished(t('done.access', { name: id, access: t(`access.${access}`).toLowerCase() }));
  const deleted = () => {
    finished(t('done.deleted', { name: id }));
    giveFocusBack(null);
  };
  return (
    <Menu
      label={t('tokens.more', { name: id })}
      items={[
        {
          label: t('endpoints.change'),
          run: () => openDialog((close) => <ChangeAccess close={close} endpoint={endpoint} done={changed} />),
        },
        {
          label: t('endpoints.delete'),
          danger: true,
          run: () => openDialog((close) => <DeleteEndpoint close={close} endpoint={endpoint} done={deleted} />),
        },
      ]}
    />
  );
}
