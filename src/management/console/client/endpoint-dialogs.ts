import type { Access, AffectedToken, Endpoint, Preview } from '../../wire/types.js';
import { isSignedOut } from './api.js';
import { confirmByName } from './confirm.js';
import { type Child, foreign, h, replaceContent } from './dom.js';
import { ACCESS_WORDS, changeAccess, createEndpoint, deleteEndpoint, previewAccess } from './endpoints.js';
import { radioField, textField } from './fields.js';
import { openForm, problemOf } from './form.js';
import { counted, fromNow } from './words.js';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** The most tokens that are named. The others are counted. */
const NAMED = 20;

function accessField(value: Access, onChange?: (value: Access) => void) {
  return radioField<Access>({
    label: 'Access',
    value,
    paths: ['access'],
    options: (['protected', 'public', 'private'] as const).map((access) => ({
      value: access,
      ...ACCESS_WORDS[access],
    })),
    ...(onChange && { onChange }),
  });
}

export function openCreateEndpoint(done: (endpoint: Endpoint) => void): void {
  const id = textField({
    label: 'Name',
    hint: 'The name in your application’s guard. Letters, digits, dots, dashes and underscores.',
    required: 'Give the endpoint its name.',
    maxLength: 100,
    monospace: true,
    paths: ['id'],
    check: (value) =>
      ID.test(value) ? null : 'Use letters, digits, dots, dashes and underscores, and begin with a letter or digit.',
  });
  const access = accessField('protected');
  openForm<Endpoint>({
    title: 'Create endpoint',
    fields: [id, access],
    submit: 'Create',
    busy: 'Creating…',
    focus: () => id.input,
    send: () => createEndpoint(id.value(), access.value()),
    done,
  });
}

/** Changes an endpoint's access. First it shows which tokens gain and lose access. */
export function openChangeAccess(endpoint: Endpoint, done: (endpoint: Endpoint) => void): void {
  const effect = h('div', { class: 'preview', role: 'status' });
  let reading = new AbortController();
  const access = accessField(endpoint.access, (to) => void preview(to));
  const form = openForm<Endpoint>({
    title: 'Change access',
    className: 'wide',
    intro: h('p', { class: 'named mono' }, endpoint.id),
    fields: [access, { element: effect, paths: [], value: () => null, check: () => null, show() {}, focus() {} }],
    submit: 'Change access',
    busy: 'Changing…',
    focus: () => access.element.querySelector<HTMLElement>('input:checked'),
    send: () => changeAccess(endpoint.id, access.value()),
    done,
  });

  async function preview(to: Access): Promise<void> {
    reading.abort();
    reading = new AbortController();
    const { signal } = reading;
    form.allow(false);
    if (to === endpoint.access) {
      replaceContent(effect, h('p', { class: 'hint' }, `It is ${to} now: nothing would change.`));
      return;
    }
    replaceContent(effect, h('p', { class: 'hint' }, 'Loading the effects of this change…'));
    try {
      replaceContent(effect, described(await previewAccess(endpoint.id, to, signal)));
      form.allow(true);
    } catch (error) {
      if (signal.aborted) return;
      const again = h('button', { type: 'button', on: { click: () => void preview(to) } }, 'Try again');
      replaceContent(effect, h('div', { class: 'problem' }, problemOf(error), !isSignedOut(error) && again));
    }
  }

  void preview(endpoint.access);
}

function described({ to, open_to_anyone, gain, lose, gain_count, lose_count, more }: Preview): Child {
  const warning = open_to_anyone
    ? 'Anyone who can reach the server will be able to call it, with or without a token.'
    : to === 'private'
      ? 'From outside the internal network it will look as if it did not exist.'
      : 'Calls without a token that reaches it will be refused.';
  return [
    h('p', { class: 'warning' }, warning),
    lose_count === 0 ? h('p', {}, 'No token loses access.') : affected('lose', lose_count, lose),
    gain_count > 0 && affected('gain', gain_count, gain),
    more && h('p', { class: 'quiet' }, 'Only the newest 50,000 tokens were checked. There are more.'),
  ];
}

function affected(verb: 'gain' | 'lose', count: number, tokens: readonly AffectedToken[]): Child {
  const named = tokens.slice(0, NAMED);
  const use = (at: string | null) => (at === null ? ' never used it' : ` used it ${fromNow(new Date(at))}`);
  return h(
    'div',
    {},
    h('h3', {}, `${counted(count, 'token')} ${verb}${count === 1 ? 's' : ''} access`),
    h(
      'ul',
      { class: 'affected' },
      named.map(({ token, last_used_at }) =>
        h('li', {}, foreign(token.name), h('span', { class: 'quiet' }, use(last_used_at))),
      ),
      count > named.length && h('li', { class: 'quiet' }, `and ${counted(count - named.length, 'other')}`),
    ),
  );
}

export function openDeleteEndpoint(endpoint: Endpoint, done: () => void): void {
  confirmByName({
    title: 'Delete endpoint',
    name: endpoint.id,
    consequences:
      'Every call to it will be refused. An endpoint made later under the same name is another one: tokens for this one do not reach it. This can’t be undone.',
    submit: 'Delete',
    busy: 'Deleting…',
    send: () => deleteEndpoint(endpoint.id),
    done,
  });
}
