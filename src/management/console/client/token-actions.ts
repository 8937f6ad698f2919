import type { IssuedToken, Token } from '../../wire/types.js';
import { confirmByName } from './confirm.js';
import { foreign, h } from './dom.js';
import { selectField } from './fields.js';
import { openForm } from './form.js';
import { deleteToken, revokeToken, rotateToken } from './tokens.js';
import { fromNow } from './words.js';

type Grace = '' | '15m' | '1h' | '24h' | '7d';

const GRACES: readonly (readonly [Grace, string])[] = [
  ['', 'Stops at once'],
  ['15m', 'Works for 15 more minutes'],
  ['1h', 'Works for one more hour'],
  ['24h', 'Works for one more day'],
  ['7d', 'Works for seven more days'],
];

/** Makes a new secret for the same token. The old one may work for a while longer. */
export function openRotate(token: Token, done: (issued: IssuedToken, opener: Element | null) => void): void {
  const grace = selectField<Grace>({
    label: 'The old secret',
    options: GRACES,
    value: '1h',
    hint: 'Long enough to put the new one everywhere. It never works beyond the token’s own end.',
    paths: ['grace'],
  });
  openForm<IssuedToken>({
    title: 'Rotate token',
    intro: h('p', {}, 'A new secret is made for ', foreign(token.name), '. Its rights and its end stay as they are.'),
    fields: [{ ...grace, value: () => '' }],
    submit: 'Rotate',
    busy: 'Rotating…',
    send: () => rotateToken(token, grace.value()),
    done,
  });
}

export function openRevoke(token: Token, done: () => void): void {
  openForm({
    title: 'Revoke token',
    intro: h(
      'p',
      {},
      foreign(token.name),
      ' stops working, for good. It stays in the list, with its use. ',
      lastUse(token),
    ),
    submit: 'Revoke',
    busy: 'Revoking…',
    danger: true,
    focus: () => document.querySelector<HTMLElement>('dialog[open] .buttons button'),
    send: () => revokeToken(token),
    done,
  });
}

export function openDelete(token: Token, done: () => void): void {
  confirmByName({
    title: 'Delete token',
    name: token.name,
    consequences: ['The token stops working at once, and its record is gone. This can’t be undone. ', lastUse(token)],
    submit: 'Delete',
    busy: 'Deleting…',
    send: () => deleteToken(token),
    done,
  });
}

function lastUse(token: Token): string {
  return token.last_used_at === null
    ? 'No use of it is recorded yet.'
    : `It was last used ${fromNow(new Date(token.last_used_at))}.`;
}
