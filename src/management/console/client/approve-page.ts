import type { LoginRequest } from '../../wire/types.js';
import { ApiError, call, isSignedOut } from './api.js';
import { type Child, foreign, h, replaceContent } from './dom.js';
import { selectField } from './fields.js';
import { problemOf, sentence } from './form.js';
import { grantLines, grantsField } from './grants.js';
import { type PageContext, pageHead } from './page.js';
import { failedState } from './table.js';
import { counted, fromNow, inFull } from './words.js';

/**
 * Someone waits at a terminal to be logged in as this person. Whoever sends the link can be given a token (RFC 8628 section
 * 5.4), so the page says who asks and for what, and does nothing until it is told to.
 */
export function approvePage({ session, signedOut, go }: PageContext, code: string): HTMLElement {
  const address = `api/v1/auth/requests/${encodeURIComponent(code)}`;
  const content = h('div', {}, h('p', { class: 'hint', role: 'status' }, 'Loading…'));

  async function load(): Promise<void> {
    try {
      show(await call<LoginRequest>('GET', address));
    } catch (error) {
      if (isSignedOut(error)) return signedOut();
      if (error instanceof ApiError && error.status === 404)
        return finish('This login is over', 'The code has expired or was used. Begin again in the terminal.');
      replaceContent(
        content,
        failedState(sentence(error), () => void load()),
      );
    }
  }

  function show(request: LoginRequest): void {
    if (request.status !== 'pending') {
      finish('This login is over', 'It was answered already. Begin again in the terminal if that was not you.');
      return;
    }
    const choices = choicesField(session, request);
    const problem = h('div', { class: 'problem', role: 'alert' });
    const approve = h(
      'button',
      { type: 'button', class: 'primary', on: { click: () => void answer('approve', approve) } },
      'Approve',
    );
    const refuse = h('button', { type: 'button', on: { click: () => void answer('deny', refuse) } }, 'Refuse');
    let busy = false;

    async function answer(verb: 'approve' | 'deny', button: HTMLButtonElement): Promise<void> {
      if (busy) return;
      replaceContent(problem);
      const wrong = verb === 'approve' ? choices.check() : null;
      choices.show(wrong);
      if (wrong !== null) {
        choices.focus();
        return;
      }
      busy = true;
      const label = button.textContent;
      button.textContent = verb === 'approve' ? 'Approving…' : 'Refusing…';
      try {
        await call('POST', `${address}/${verb}`, { body: verb === 'approve' ? choices.body() : {} });
        if (verb === 'approve')
          finish(
            'Approved',
            'The terminal has what it needs. You can close this page; the new token is in the list of your personal tokens.',
          );
        else
          finish(
            'Refused',
            'The terminal gets nothing. If you did not begin this login, someone may have sent you the link to be let in as you.',
          );
      } catch (error) {
        replaceContent(problem, problemOf(error, button));
      } finally {
        busy = false;
        button.textContent = label;
      }
    }

    replaceContent(
      content,
      !request.bound && unboundWarning(request),
      h(
        'section',
        { class: 'card', 'aria-label': 'The request' },
        facts(request),
        choices.element,
        h('p', { class: 'hint' }, 'Approve only what you began yourself, just now, in your own terminal.'),
        problem,
        h('div', { class: 'buttons' }, refuse, approve),
      ),
    );
  }

  function finish(title: string, text: string): void {
    const heading = h('h2', { tabindex: -1 }, title);
    const onward = h(
      'button',
      { type: 'button', class: 'primary', on: { click: () => go('api_tokens') } },
      'Go to API Tokens',
    );
    replaceContent(content, h('section', { class: 'card', role: 'status' }, heading, h('p', {}, text), onward));
    heading.focus();
  }

  void load();
  return h(
    'div',
    { class: 'page narrow' },
    pageHead('Approve a login', ['A terminal asks to act as you in ', foreign(session.organization.name), '.']),
    content,
  );
}

function facts(request: LoginRequest): HTMLElement {
  const fact = (label: string, value: Child) => h('div', {}, h('dt', {}, label), h('dd', {}, value));
  const asked = new Date(request.created_at);
  return h(
    'dl',
    { class: 'facts' },
    fact(
      'Asked from',
      request.from === null ? 'An address that the server does not know' : h('code', {}, foreign(request.from)),
    ),
    fact('Asked', h('time', { datetime: request.created_at, title: inFull(asked) }, fromNow(asked))),
    fact(
      'Token',
      request.token_expires_at === null
        ? `Works for ${lifeWords(request.token_expires_in)}`
        : `Works until ${inFull(new Date(request.token_expires_at))}, ${fromNow(new Date(request.token_expires_at))}`,
    ),
    grantLines(request.types).map(({ type, words }) => fact(type, foreign(words))),
  );
}

function unboundWarning(request: LoginRequest): HTMLElement {
  return h(
    'div',
    { class: 'notice', role: 'note' },
    h('h2', {}, 'Anyone with the code can collect this token'),
    h(
      'p',
      {},
      'The program that asks did not bind the code to itself, so a stranger who sent you this link could be let in as you. Approve only if you began this login yourself',
      request.token_expires_at === null ? '.' : ', and its token ends within a day.',
    ),
  );
}

/** Granting something else, or for another time. Closed until it is wanted; what is chosen counts either way. */
function choicesField(session: PageContext['session'], request: LoginRequest) {
  const grants = grantsField(session, request.types);
  const before = JSON.stringify(grants.value());
  const life = lifeField(request);
  const element = h('details', {}, h('summary', {}, 'Change what is granted'), grants.element, life?.element);
  return {
    element,
    check: grants.check,
    show: grants.show,
    focus() {
      element.open = true;
      grants.focus();
    },
    body: () => ({
      ...(JSON.stringify(grants.value()) !== before && { types: grants.value() }),
      ...(life !== null && life.value() !== request.token_expires_in && { expires_in: life.value() }),
    }),
  };
}

function lifeField({ token_expires_at, token_expires_in }: LoginRequest) {
  // Its end is settled already.
  if (token_expires_at !== null) return null;
  const lives = [...new Set([token_expires_in, '1d', '7d', '30d', '90d'])];
  return selectField({
    label: 'The token works for',
    options: lives.map((life) => [life, lifeWords(life)] as const),
    value: token_expires_in,
    paths: ['expires_in'],
  });
}

/** `90d` → `90 days` */
function lifeWords(life: string): string {
  const [, count = '', unit = ''] = /^(\d+)([mhdw])$/.exec(life) ?? [];
  const nouns: Readonly<Record<string, string>> = { m: 'minute', h: 'hour', d: 'day', w: 'week' };
  const noun = nouns[unit];
  return noun === undefined ? life : counted(Number(count), noun);
}
