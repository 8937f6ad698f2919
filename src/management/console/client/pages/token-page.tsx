import { useEffect } from 'preact/hooks';
import { escapeInvisible } from '../../../../domain/text.js';
import type { AuditPage, Session, Token, TokenDetail, Use } from '../../../wire/types.js';
import { ApiError, call } from '../api.js';
import { ChangeList } from '../audit/change-list.js';
import { t } from '../i18n.js';
import { Link, usePage } from '../page-context.js';
import { Badge } from '../parts/badge.js';
import { Button } from '../parts/button.js';
import { CopyValue } from '../parts/copy.js';
import { giveFocusBack } from '../parts/dialog.js';
import { Icon } from '../parts/icon.js';
import { Menu, type MenuItem } from '../parts/menu.js';
import { Empty, Facts, Failed, Loading, Notice, PageHead, Section } from '../parts/page.js';
import { Table } from '../parts/table.js';
import { Ago, Foreign, Moment, Quiet } from '../parts/text.js';
import { actionsOn } from '../tokens/actions.js';
import { readToken, readUsage } from '../tokens/calls.js';
import { Owner } from '../tokens/columns.js';
import { deadOf, labelOf, partsOf, sentenceOf } from '../tokens/grants.js';
import { limitSentence } from '../tokens/limit-draft.js';
import { Limits } from '../tokens/limits.js';
import { StateBadge } from '../tokens/state.js';
import { TokenDays } from '../tokens/usage.js';
import { useRead } from '../use-read.js';
import { inDigits, titled } from '../words.js';

/** One token: its rights, its use and its history. */
export function TokenPage({ uid }: { readonly uid: string }) {
  const read = useRead((signal) => readToken(uid, signal), [uid]);
  if (read.state === 'loading') return <Loading />;
  if (read.state === 'read') return <Shown token={read.value} again={read.again} />;
  const isGone = read.error instanceof ApiError && read.error.status === 404;
  return (
    <div class="page">
      <PageHead title={t('nav.tokens')} above={<Back />} />
      {isGone ? (
        <Empty title={t('token.unknown')}>{t('token.unknownText')}</Empty>
      ) : (
        <Failed error={read.error} retry={read.again} />
      )}
    </div>
  );
}

function Back() {
  return (
    <p class="back">
      <Link to="api_tokens">
        <Icon name="back" />
        {t('token.back')}
      </Link>
    </p>
  );
}

interface TokenProps {
  readonly token: Token;
}

function Shown({ token, again }: { readonly token: TokenDetail; readonly again: () => void }) {
  const { session, opened, go } = usePage();
  useEffect(() => {
    if (opened && document.activeElement === document.body) giveFocusBack(null);
  }, []);
  const actions = actionsOn(token, session, { changed: again, gone: () => go('api_tokens') });
  return (
    <div class="page">
      <PageHead
        title={
          <>
            <Foreign text={token.name} /> <StateBadge token={token} />
          </>
        }
        lead={token.description !== '' && <Foreign text={token.description} />}
        above={<Back />}
        actions={actions.length > 0 && <Actions token={token} items={actions} />}
      />
      {token.uid === session.token_id && <Notice>{t('token.yours')}</Notice>}
      <div class="columns">
        <div class="column wide">
          <Rights token={token} session={session} />
          <TokenDays token={token} />
          <Uses token={token} />
          {session.can.readAudit && <History token={token} />}
        </div>
        <div class="column">
          <About token={token} />
          <Limits token={token} />
        </div>
      </div>
    </div>
  );
}

/** Safe actions as buttons, those that end the token in a menu. */
function Actions({ token, items }: TokenProps & { readonly items: readonly MenuItem[] }) {
  return (
    <>
      {items
        .filter(({ danger }) => !danger)
        .map(({ label, run }) => (
          <Button key={label} onClick={run}>
            {label}
          </Button>
        ))}
      <Menu
        label={t('tokens.more', { name: escapeInvisible(token.name) })}
        items={items.filter(({ danger }) => danger)}
      />
    </>
  );
}

function Rights({ token, session }: TokenProps & { readonly session: Session }) {
  return (
    <Section title={t('token.can')}>
      <p class="sentence">
        {escapeInvisible(sentenceOf(session, token.types))} {limitSentence(token)}
      </p>
      {Object.entries(token.types).map(([name, grant]) => {
        const type = session.types.find((each) => each.name === name);
        const dead = deadOf(name, token.dead_grants);
        const ids = 'endpoints' in grant && grant.endpoints !== '*' ? grant.endpoints : null;
        return (
          <div class="grant" key={name}>
            <h3>{type === undefined ? titled(name) : labelOf(type)}</h3>
            <ul class="chips still">
              {(ids ?? partsOf(type, grant)).map((part) => (
                <li key={part}>
                  <Foreign text={part} mono={ids !== null} />
                  {dead.includes(part) && <Badge tone="warning">{t('grants.deadCount', { count: 1 })}</Badge>}
                </li>
              ))}
            </ul>
            {dead.length > 0 && <p class="hint">{t('token.deadNote')}</p>}
          </div>
        );
      })}
    </Section>
  );
}

function About({ token }: { readonly token: TokenDetail }) {
  const owner = <Owner user={token.user} owner={token.owner} />;
  return (
    <Section title={t('token.facts')}>
      <Facts
        facts={[
          {
            label: t('token.belongs'),
            value: token.is_organization_token ? t('token.belongsOrganization') : owner,
          },
          token.is_organization_token && { label: t('token.madeBy'), value: owner },
          { label: t('tokens.created'), value: <Moment at={token.created_at} /> },
          { label: t('tokens.expires'), value: <Moment at={token.expired_at} /> },
          ...token.secrets
            .filter(({ ends_at }) => ends_at !== null)
            .map(({ ends_at }) => ({ label: t('token.oldSecret'), value: <Moment at={ends_at} /> })),
          token.revoked_at !== null && { label: t('status.revoked'), value: <Moment at={token.revoked_at} /> },
          { label: t('tokens.lastUsed'), value: <Moment at={token.last_used_at} /> },
          { label: t('token.hint'), value: <CopyValue what={t('token.hint')} text={token.hint} /> },
          { label: t('token.id'), value: <CopyValue what={t('token.id')} text={token.uid} /> },
        ]}
      />
    </Section>
  );
}

function Uses({ token }: TokenProps) {
  const uses = useRead((signal) => readUsage(token, signal), [token.uid]);
  return (
    <Section title={t('token.where')}>
      {uses.state === 'loading' && <Loading />}
      {uses.state === 'failed' && <Failed error={uses.error} retry={uses.again} />}
      {uses.state === 'read' &&
        (uses.value.length === 0 ? <p class="hint">{t('token.noUse')}</p> : <UseTable uses={uses.value} />)}
    </Section>
  );
}

function UseTable({ uses }: { readonly uses: readonly Use[] }) {
  return (
    <Table
      caption={t('token.where')}
      columns={[
        {
          label: t('token.endpoint'),
          kind: 'head',
          cell: ({ endpoint }) =>
            endpoint === null ? <Quiet>{t('token.apiCalls')}</Quiet> : <Foreign text={endpoint} mono />,
        },
        { label: t('token.calls'), kind: 'number', cell: ({ count }) => inDigits(count) },
        { label: t('tokens.lastUsed'), cell: ({ last_used_at }) => <Ago at={last_used_at} /> },
      ]}
      rows={uses}
      keyOf={({ endpoint }) => endpoint ?? ''}
    />
  );
}

const MOST_CHANGES = 50;

function History({ token }: TokenProps) {
  const changes = useRead(
    (signal) => call<AuditPage>('GET', 'api/v1/audit', { query: { subject: token.uid, count: MOST_CHANGES }, signal }),
    [token.uid, token.updated_at, token.revoked_at],
  );
  return (
    <Section title={t('token.history')}>
      {changes.state === 'loading' && <Loading />}
      {changes.state === 'failed' && <Failed error={changes.error} retry={changes.again} />}
      {changes.state === 'read' &&
        (changes.value.items.length === 0 ? (
          <p class="hint">{t('token.historyNone')}</p>
        ) : (
          <ChangeList entries={changes.value.items} />
        ))}
      {changes.state === 'read' && changes.value.next_cursor !== null && (
        <p>
          <Link to={`audit?subject=${encodeURIComponent(token.uid)}`}>{t('token.historyAll')}</Link>
        </p>
      )}
    </Section>
  );
}
