import type { Token, Use, User } from '../../wire/types.js';
import { openDialog } from './dialog.js';
import { type Child, foreign, h, replaceContent } from './dom.js';
import { problemOf } from './form.js';
import { grantLines } from './grants.js';
import { agoCell, table } from './table.js';
import { readUsage } from './tokens.js';
import { fromNow, inDigits, inFull } from './words.js';

/** Shows a token's record and its usage. */
export function openDetails(token: Token): void {
  const usage = h('section', { 'aria-labelledby': 'usage-title' }, h('h3', { id: 'usage-title' }, 'Usage'));
  const shown = h('div', {}, h('p', { class: 'hint', role: 'status' }, 'Loading usage…'));
  usage.appendChild(shown);
  const reading = new AbortController();
  openDialog({
    title: 'API token',
    className: 'wide',
    body: h('div', { class: 'dialog-body' }, h('p', { class: 'named' }, foreign(token.name)), facts(token), usage),
    onClosed: () => reading.abort(),
  });
  readUsage(token, reading.signal).then(
    (uses) => replaceContent(shown, usageTable(uses)),
    (error) => reading.signal.aborted || replaceContent(shown, h('div', { role: 'alert' }, problemOf(error))),
  );
}

function facts(token: Token): HTMLElement {
  const fact = (label: string, value: Child) => h('div', {}, h('dt', {}, label), h('dd', {}, value));
  return h(
    'dl',
    { class: 'facts' },
    token.description !== '' && fact('Description', foreign(token.description)),
    fact('Belongs to', token.is_organization_token ? 'The organization' : ownerOf(token)),
    token.is_organization_token && fact('Made by', ownerOf(token)),
    grantLines(token.types, token.dead_grants).map(({ type, words }) => fact(type, foreign(words))),
    fact('Begins with', h('code', {}, foreign(token.hint))),
    fact('Id', h('code', {}, token.uid)),
    fact('Created', inFull(new Date(token.created_at))),
    fact('Ends', token.expired_at === null ? 'Never' : moment(token.expired_at)),
    token.revoked_at !== null && fact('Revoked', moment(token.revoked_at)),
    fact('Last used', token.last_used_at === null ? 'Never' : moment(token.last_used_at)),
  );
}

function moment(iso: string): string {
  const time = new Date(iso);
  return `${inFull(time)}, ${fromNow(time)}`;
}

function ownerOf(token: Token): Child {
  return nameOf(token.user) ?? (token.owner !== null ? foreign(token.owner) : 'Nobody by name');
}

export function nameOf(user: User): Child {
  const full = [user.first_name, user.last_name].filter((part) => part !== '').join(' ');
  return full !== '' ? foreign(full) : user.name !== '' ? foreign(user.name) : null;
}

function usageTable(uses: readonly Use[]): Child {
  if (uses.length === 0) return h('p', { class: 'hint' }, 'Not used yet. Calls are counted within ten seconds.');
  return table<Use>(
    'Usage by endpoint',
    [
      {
        label: 'Endpoint',
        cell: ({ endpoint }) =>
          endpoint === null ? h('span', { class: 'quiet' }, 'No endpoint (API calls)') : foreign(endpoint, 'mono'),
      },
      { label: 'Calls', cell: ({ count }) => inDigits(count), className: 'number' },
      { label: 'Last Used At', cell: ({ last_used_at }) => agoCell(last_used_at, 'Never') },
    ],
    uses,
  );
}
