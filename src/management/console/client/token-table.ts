import { escapeInvisible } from '../../../domain/text.js';
import type { IssuedToken, Session, Token } from '../../wire/types.js';
import { type Child, foreign, h } from './dom.js';
import { type MenuItem, menuButton } from './menu.js';
import { mayManage, mayRotate } from './session.js';
import { agoCell, type Column, dateCell } from './table.js';
import { openDelete, openRevoke, openRotate } from './token-actions.js';
import { nameOf, openDetails } from './token-details.js';
import { openUpdateToken } from './token-form.js';
import { openSecret } from './token-secret.js';
import { counted, titled } from './words.js';

export interface TokenTable {
  readonly session: Session;
  readonly showOwner: boolean;
  /** Announces a change and reads the list again. */
  readonly finished: (message: string) => void;
}

/** The columns of the page API Tokens, with the actions for each token. */
export function tokenColumns(context: TokenTable): readonly Column<Token>[] {
  const owner: Column<Token> = { label: 'Owner', cell: ownerCell };
  return [
    { label: 'Name', cell: nameCell, className: 'name' },
    { label: 'Type', cell: typesCell, className: 'tags' },
    { label: 'Description', cell: descriptionCell, className: 'description' },
    ...(context.showOwner ? [owner] : []),
    { label: 'Created At', cell: ({ created_at }) => dateCell(created_at, '') },
    { label: 'Expired At', cell: ({ expired_at }) => dateCell(expired_at, 'Never') },
    { label: 'Last Used At', cell: ({ last_used_at }) => agoCell(last_used_at, 'Never') },
    { label: 'Actions', cell: (token) => actions(token, context), className: 'actions' },
  ];
}

function nameCell(token: Token): Child {
  const state = token.revoked_at !== null ? 'Revoked' : token.is_expired ? 'Expired' : null;
  const open = () => openDetails(token);
  return [
    h(
      'button',
      { type: 'button', class: 'link', 'data-focus': `details-${token.uid}`, on: { click: open } },
      foreign(token.name),
    ),
    state !== null && h('span', { class: 'tag ended' }, state),
  ];
}

function typesCell({ types, dead_grants }: Token): Child {
  const gone = [...new Set(dead_grants.map(({ endpoint }) => endpoint))];
  return [
    Object.keys(types).map((name) => h('span', { class: 'tag' }, titled(escapeInvisible(name)))),
    gone.length > 0 &&
      h('span', { class: 'tag ended', title: gone.join(', ') }, `${counted(gone.length, 'deleted endpoint')}`),
  ];
}

function descriptionCell({ description }: Token): Child {
  return description === '' ? h('span', { class: 'quiet' }, 'None') : foreign(description);
}

function ownerCell({ user, owner }: Token): Child {
  return nameOf(user) ?? (owner === null ? h('span', { class: 'quiet' }, 'Nobody') : foreign(owner));
}

function actions(token: Token, { session, finished }: TokenTable): Child {
  const name = escapeInvisible(token.name);
  const more: MenuItem[] = [{ label: 'Details and usage', run: () => openDetails(token) }];
  const menu = () => menuButton(`More for ${name}`, `more-${token.uid}`, more);
  if (!mayManage(session, token)) return menu();
  const alive = token.revoked_at === null && !token.is_expired;
  const rotated = (issued: IssuedToken, opener: Element | null) =>
    openSecret('Token rotated', issued, opener, () => finished(`${name} has a new secret.`));
  if (alive && mayRotate(session, token)) more.push({ label: 'Rotate', run: () => openRotate(token, rotated) });
  if (alive) {
    const revoked = () => finished(`${name} is revoked.`);
    more.push({ label: 'Revoke', danger: true, run: () => openRevoke(token, revoked) });
  }
  const button = (label: string, run: () => void) =>
    h(
      'button',
      {
        type: 'button',
        class: 'plain',
        'aria-label': `${label} ${name}`,
        'data-focus': `${label}-${token.uid}`,
        on: { click: run },
      },
      label,
    );
  return [
    button('Update', () =>
      openUpdateToken(session, token, ({ name }) => finished(`${escapeInvisible(name)} is updated.`)),
    ),
    button('Delete', () => openDelete(token, () => finished(`${name} is deleted.`))),
    menu(),
  ];
}
