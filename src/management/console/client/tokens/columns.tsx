import { escapeInvisible } from '../../../../domain/text.js';
import type { Session, Token } from '../../../wire/types.js';
import { t } from '../i18n.js';
import { Link, usePage } from '../page-context.js';
import { Badge } from '../parts/badge.js';
import { Menu } from '../parts/menu.js';
import type { Column } from '../parts/table.js';
import { Ago, Day, Foreign, Quiet } from '../parts/text.js';
import { actionsOn } from './actions.js';
import { summaryOf } from './grants.js';
import { isAlive, StateBadge } from './state.js';

interface Selection {
  readonly selected: ReadonlySet<string>;
  readonly select: (selected: ReadonlySet<string>) => void;
  /** The ids that may be selected. */
  readonly selectable: readonly string[];
}

interface TokenColumns {
  readonly session: Session;
  readonly showOwner: boolean;
  readonly selection: Selection;
  readonly changed: () => void;
}

/** The columns of the page API Tokens, with the actions on each token. */
export function tokenColumns({ session, showOwner, selection, changed }: TokenColumns): readonly Column<Token>[] {
  return [
    ...(selection.selectable.length > 0 ? [selectColumn(selection)] : []),
    { label: t('tokens.name'), kind: 'head', cell: (token) => <Name token={token} /> },
    { label: t('tokens.status'), cell: (token) => <StateBadge token={token} /> },
    { label: t('tokens.access'), kind: 'wide', cell: (token) => <Access token={token} session={session} /> },
    ...(showOwner
      ? [{ label: t('tokens.owner'), cell: (token: Token) => <Owner user={token.user} owner={token.owner} /> }]
      : []),
    { label: t('tokens.created'), cell: ({ created_at }) => <Day at={created_at} /> },
    { label: t('tokens.expires'), cell: (token) => <Expires token={token} /> },
    { label: t('tokens.lastUsed'), cell: ({ last_used_at }) => <Ago at={last_used_at} /> },
    {
      label: t('tokens.actions'),
      kind: 'actions',
      cell: (token) => <RowMenu token={token} session={session} changed={changed} />,
    },
  ];
}

function selectColumn({ selected, select, selectable }: Selection): Column<Token> {
  const isAll = selectable.every((uid) => selected.has(uid));
  return {
    label: t('tokens.selectAll'),
    kind: 'select',
    header: (
      <input
        type="checkbox"
        aria-label={t('tokens.selectAll')}
        checked={isAll}
        indeterminate={!isAll && selected.size > 0}
        onChange={() => select(new Set(isAll ? [] : selectable))}
      />
    ),
    cell: ({ uid, name }) => (
      <input
        type="checkbox"
        aria-label={t('tokens.select', { name: escapeInvisible(name) })}
        disabled={!selectable.includes(uid)}
        checked={selected.has(uid)}
        onChange={({ currentTarget }) => {
          const others = [...selected].filter((other) => other !== uid);
          select(new Set(currentTarget.checked ? [...others, uid] : others));
        }}
      />
    ),
  };
}

function Name({ token: { uid, name, hint, description } }: { readonly token: Token }) {
  return (
    <>
      <Link to={`api_tokens/${uid}`} class="name">
        <Foreign text={name} />
      </Link>
      <code class="hint">{hint}</code>
      {description !== '' && (
        <span class="hint cut">
          <Foreign text={description} />
        </span>
      )}
    </>
  );
}

function Access({ token, session }: { readonly token: Token; readonly session: Session }) {
  const gone = new Set(token.dead_grants.map(({ endpoint }) => endpoint)).size;
  return (
    <>
      <Foreign text={summaryOf(session, token.types)} />
      {gone > 0 && <Badge tone="warning">{t('grants.deadCount', { count: gone })}</Badge>}
    </>
  );
}

export function Owner({ user, owner }: Pick<Session, 'user' | 'owner'>) {
  const full = [user.first_name, user.last_name].filter((part) => part !== '').join(' ') || user.name || owner;
  return full ? <Foreign text={full} /> : <Quiet>{t('tokens.nobody')}</Quiet>;
}

function Expires({ token }: { readonly token: Token }) {
  return isAlive(token) && token.expired_at !== null ? (
    <>
      <Day at={token.expired_at} />
      <span class="hint">
        <Ago at={token.expired_at} />
      </span>
    </>
  ) : (
    <Day at={token.expired_at} />
  );
}

interface RowMenuProps {
  readonly token: Token;
  readonly session: Session;
  readonly changed: () => void;
}

function RowMenu({ token, session, changed }: RowMenuProps) {
  const { go } = usePage();
  const open = { label: t('token.open'), run: () => go(`api_tokens/${token.uid}`) };
  const items = [open, ...actionsOn(token, session, { changed, gone: changed })];
  return <Menu label={t('tokens.more', { name: escapeInvisible(token.name) })} items={items} />;
}
