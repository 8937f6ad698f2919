import type { Endpoint } from '../../wire/types.js';
import { isSignedOut } from './api.js';
import { keepingFocus } from './dialog.js';
import { type Child, foreign, h, replaceContent } from './dom.js';
import { openChangeAccess, openCreateEndpoint, openDeleteEndpoint } from './endpoint-dialogs.js';
import { ACCESS_WORDS, MOST_ENDPOINTS, readEndpoints } from './endpoints.js';
import { sentence } from './form.js';
import { type PageContext, pageHead } from './page.js';
import { announce } from './status.js';
import { type Column, dateCell, emptyState, failedState, loadingTable, table } from './table.js';
import { counted } from './words.js';

/** The organization's endpoints with their access. */
export function endpointsPage({ session, signedOut }: PageContext): HTMLElement {
  const may = session.can.manageEndpoints;
  const list = h('div', {});
  const search = h('input', {
    type: 'search',
    'aria-label': 'Find an endpoint',
    placeholder: 'Find an endpoint',
    on: { input: () => show() },
  });
  let endpoints: readonly Endpoint[] = [];

  async function load(): Promise<void> {
    if (list.childElementCount === 0) replaceContent(list, loadingTable('endpoints'));
    list.setAttribute('aria-busy', 'true');
    try {
      endpoints = await readEndpoints();
      show();
    } catch (error) {
      if (isSignedOut(error)) return signedOut();
      replaceContent(
        list,
        failedState(sentence(error), () => void load()),
      );
    }
    list.removeAttribute('aria-busy');
  }

  function show(): void {
    const text = search.value.trim().toLowerCase();
    const found = endpoints.filter(({ id }) => id.toLowerCase().includes(text));
    keepingFocus(list, () => replaceContent(list, shown(found)));
  }

  function shown(found: readonly Endpoint[]): Child {
    if (endpoints.length === 0) {
      return emptyState(
        'No endpoints',
        may
          ? 'Create one for each deployment or group of routes that your application guards by name.'
          : 'Nobody has registered an endpoint in this organization yet.',
      );
    }
    if (found.length === 0) return emptyState('Nothing found', 'No endpoint has this in its name.');
    return [
      table('Endpoints', columns, found),
      h(
        'p',
        { class: 'pager' },
        endpoints.length >= MOST_ENDPOINTS
          ? `The first ${counted(endpoints.length, 'endpoint')} by name. Use the command to see the others.`
          : counted(found.length, 'endpoint'),
      ),
    ];
  }

  const columns: readonly Column<Endpoint>[] = [
    { label: 'Name', cell: ({ id }) => h('span', { class: 'mono' }, id), className: 'name' },
    { label: 'Access', cell: ({ access }) => h('span', { class: `tag ${access}` }, ACCESS_WORDS[access].label) },
    { label: 'Who may call it', cell: ({ access }) => ACCESS_WORDS[access].hint, className: 'description' },
    { label: 'Created At', cell: ({ created_at }) => dateCell(created_at, '') },
    { label: 'Updated At', cell: ({ updated_at }) => dateCell(updated_at, '') },
    ...(may ? [{ label: 'Actions', cell: actions, className: 'actions' }] : []),
  ];

  function actions(endpoint: Endpoint): Child {
    const button = (label: string, run: () => void) =>
      h(
        'button',
        {
          type: 'button',
          class: 'plain',
          'aria-label': `${label} ${endpoint.id}`,
          'data-focus': `${label}-${endpoint.id}`,
          on: { click: run },
        },
        label,
      );
    return [
      button('Change access', () =>
        openChangeAccess(endpoint, ({ id, access }) => finished(`${id} is ${access} now.`)),
      ),
      button('Delete', () => openDeleteEndpoint(endpoint, () => finished(`${endpoint.id} is deleted.`))),
    ];
  }

  function finished(message: string): void {
    announce(message);
    void load();
  }

  void load();
  const create = () => openCreateEndpoint(({ id }) => finished(`${id} is created.`));
  return h(
    'div',
    { class: 'page' },
    pageHead(
      'Endpoints',
      [
        'The deployments and routes of ',
        foreign(session.organization.name),
        ' that tokens can reach, and who may call them.',
      ],
      may && h('button', { type: 'button', class: 'primary', on: { click: create } }, 'Create'),
    ),
    h('div', { class: 'toolbar', role: 'search' }, search),
    list,
  );
}
