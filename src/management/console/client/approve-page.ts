import type { LoginRequest } from '../../wire/types.js';
import { ApiError, call, isSignedOut } from './api.js';
import { type Child, foreign, h, replaceContent } from './dom.js';
import { selectField, textField } from './fields.js';
import { problemOf, sentence } from './form.js';
import { grantLines, grantsField } from './grants.js';
import { type PageContext, pageHead } from './page.js';
import { failedState } from './table.js';
import { counted, fromNow, inFull } from './words.js';

/**
 * Approves the login of a terminal as this person. The sender of the link could get a token this way (RFC 8628 section 5.4). So the
 * page asks for the code on the person's own terminal, shows the request, and does nothing by itself.
 */
export function approvePage({ session, signedOut, go }: PageContext, code: string): HTMLElement {
  const address = `api/v1/auth/requests/${encodeURIComponent(code)}`;
  const content = h('div', {}, h('p', { class: 'hint', role: 'status' }, 'Loading…'));
  /** The typed code; `null` for a login without one. */
  let userCode: string | null = null;

  async function load(): Promise<void> {
    try {
      show(await call<LoginRequest>('POST', address, { body: {} }));
    } catch (error) {
      if (isSignedOut(error)) return signedOut();
      if (error instanceof ApiError && error.code === 'user_code_missing') return askForCode();
      if (isOver(error)) return showOver();
      replaceContent(
        content,
        failedState(sentence(error), () => void load()),
      );
    }
  }

  function askForCode(): void {
    const field = textField({
      label: 'Code',
      hint: 'Eight letters. If someone sent you this link, or read a code to you, close this page: it is not yours.',
      required: 'Type the code that your terminal shows.',
      monospace: true,
      maxLength: 20,
      paths: ['user_code'],
    });
    const problem = h('div', { class: 'problem', role: 'alert' });
    const submit = h('button', { type: 'submit', class: 'primary' }, 'Continue');
    let busy = false;

    async function onSubmit(event: SubmitEvent): Promise<void> {
      event.preventDefault();
      const missing = field.check();
      field.show(missing);
      replaceContent(problem);
      if (missing !== null) return field.focus();
      if (busy) return;
      busy = true;
      try {
        const request = await call<LoginRequest>('POST', address, { body: { user_code: field.value() } });
        userCode = field.value();
        show(request);
      } catch (error) {
        if (isOver(error)) return showOver();
        if (error instanceof ApiError && error.path === 'user_code') {
          field.show(error.message);
          field.focus();
        } else replaceContent(problem, problemOf(error, submit));
      } finally {
        busy = false;
      }
    }

    replaceContent(
      content,
      h(
        'form',
        { method: 'post', class: 'card', novalidate: true, on: { submit: (event) => void onSubmit(event) } },
        h('p', {}, 'Type the code that your own terminal shows, to see the request.'),
        field.element,
        problem,
        h('div', { class: 'buttons' }, submit),
      ),
    );
    field.focus();
  }

  function showOver(): void {
    finish(
      'This login is over',
      'It was already answered, has timed out, or the code was wrong too often. Begin again in the terminal.',
    );
  }

  function show(request: LoginRequest): void {
    const choices = choicesField(session, request);
    const problem = h('div', { class: 'problem', role: 'alert' });
    const approve = h(
      'button',
      { type: 'button', class: 'primary', on: { click: () => void send('approve', approve) } },
      'Approve',
    );
    const refuse = h('button', { type: 'button', on: { click: () => void send('deny', refuse) } }, 'Refuse');
    let busy = false;

    async function send(verb: 'approve' | 'deny', button: HTMLButtonElement): Promise<void> {
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
        const answer = verb === 'approve' ? choices.body() : {};
        await call('POST', `${address}/${verb}`, { body: { user_code: userCode, ...answer } });
        if (verb === 'approve')
          finish(
            'Approved',
            'The terminal has its token. You can close this page; the new token is in the list of your personal tokens.',
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
      !request.bound && unboundWarning(),
      h(
        'section',
        { class: 'card', 'aria-label': 'The request' },
        facts(request),
        choices.element,
        h('p', { class: 'hint' }, 'Approve this only if you began it yourself, just now, in your own terminal.'),
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
    request.asked === null
      ? fact('Asks for', 'Nothing in particular: choose below')
      : grantLines(request.asked).map(({ type, words }) => fact(type, foreign(words))),
  );
}

function unboundWarning(): HTMLElement {
  return h(
    'div',
    { class: 'notice', role: 'note' },
    h('h2', {}, 'This login could come from anyone'),
    h(
      'p',
      {},
      'The program that asks shows no code of its own, so a stranger who sent you this link would be let in as you. Approve only if you began this login yourself, just now. Its token ends within a day and makes no others.',
    ),
  );
}

/** Whether the login can no longer be answered. */
function isOver(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 409);
}

/** The choice of other grants or another life. Open if the request names no grants. It counts even when closed. */
function choicesField(session: PageContext['session'], request: LoginRequest) {
  const grants = grantsField(session, request.asked ?? {});
  const life = lifeField(request);
  const summary = request.asked === null ? 'Choose the grants' : 'Change the grants';
  const element = h(
    'details',
    { open: request.asked === null },
    h('summary', {}, summary),
    grants.element,
    life?.element,
  );
  return {
    element,
    check: grants.check,
    show: grants.show,
    focus() {
      element.open = true;
      grants.focus();
    },
    body: () => ({
      types: grants.value(),
      ...(life !== null && life.value() !== request.token_expires_in && { expires_in: life.value() }),
    }),
  };
}

function lifeField({ token_expires_at, token_expires_in }: LoginRequest) {
  // The end is fixed already.
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
