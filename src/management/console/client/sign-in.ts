import { ApiError, call } from './api.js';
import { h, icon, replaceContent } from './dom.js';
import { textField } from './fields.js';
import { openForm, sentence } from './form.js';

/** @throws ApiError with the path `token`: here a 401 is about the token, not about the session */
async function signIn(token: string): Promise<void> {
  try {
    await call('POST', 'api/v1/session', { body: { token: token.trim() } });
  } catch (error) {
    throw error instanceof ApiError ? new ApiError(error.status, error.code, error.message, 'token') : error;
  }
}

export const signOut = () => call<unknown>('DELETE', 'api/v1/session');

function tokenField() {
  return textField({
    label: 'Developer token',
    hint: 'It is not kept: the browser gets a session of at most eight hours, which ends with the token.',
    required: 'Paste a developer token.',
    type: 'password',
    monospace: true,
    paths: ['token'],
  });
}

/** The page for someone who is not signed in. */
export function signInPage(done: () => void): HTMLElement {
  const token = tokenField();
  const problem = h('div', { class: 'problem', role: 'alert' });
  const submit = h('button', { type: 'submit', class: 'primary' }, 'Sign in');
  let busy = false;

  async function onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const missing = token.check();
    token.show(missing);
    replaceContent(problem);
    if (missing !== null) return token.focus();
    if (busy) return;
    busy = true;
    submit.textContent = 'Signing in…';
    try {
      await signIn(token.value());
      done();
    } catch (error) {
      token.show(sentence(error));
      token.focus();
    } finally {
      busy = false;
      submit.textContent = 'Sign in';
    }
  }

  // `post`, so that the browser's own submit keeps the token out of the address if this script fails.
  return h(
    'div',
    { class: 'gate' },
    h(
      'form',
      { method: 'post', class: 'card', novalidate: true, on: { submit: (event) => void onSubmit(event) } },
      icon('arch'),
      h('h1', { tabindex: -1 }, 'Sign in to postern'),
      h(
        'p',
        { class: 'lead' },
        'With an API token that has developer access. The first one was printed when the server started on an empty store.',
      ),
      token.element,
      problem,
      submit,
    ),
  );
}

/** For an application that has a login of its own. */
export function signedOutPage(retry: () => void): HTMLElement {
  return h(
    'div',
    { class: 'gate' },
    h(
      'div',
      { class: 'card' },
      icon('arch'),
      h('h1', { tabindex: -1 }, 'You are not signed in'),
      h(
        'p',
        { class: 'lead' },
        'Sign in to the application that this console belongs to, then come back to this page.',
      ),
      h('button', { type: 'button', class: 'primary', on: { click: retry } }, 'Try again'),
    ),
  );
}

/** Signs in again in a dialog above the page, so that no input is lost. */
export function openSignIn(opener: Element | null, done: () => void): void {
  const token = tokenField();
  openForm({
    title: 'Sign in again',
    fields: [token],
    submit: 'Sign in',
    busy: 'Signing in…',
    opener,
    send: () => signIn(token.value()),
    done,
  });
}
