import type { IssuedToken } from '../../wire/types.js';
import { base } from './api.js';
import { openDialog } from './dialog.js';
import { foreign, h, replaceContent } from './dom.js';

/** Shows a token's secret, this once. The dialog closes after a copy, or at the second attempt. */
export function openSecret(title: string, token: IssuedToken, opener: Element | null, onClosed: () => void): void {
  let copied = false;
  let warned = false;
  const said = h('p', { class: 'hint', role: 'status' });
  const warning = h('div', { class: 'problem', role: 'alert' });
  const line = `postern login --api-token ${token.token} --endpoint ${new URL('.', base).href.replace(/\/$/, '')}`;
  const isDeveloper = Object.values(token.types).some((grant) => 'scopes' in grant);
  const secret = copyRow('Token', token.token, 'Copy token', onCopied);

  function onCopied(done: boolean): void {
    if (done) copied = true;
    replaceContent(
      said,
      done ? 'Copied.' : 'The browser did not let this page copy. The text is selected: copy it yourself.',
    );
    replaceContent(warning);
  }

  const body = h(
    'div',
    { class: 'dialog-frame' },
    h(
      'div',
      { class: 'dialog-body' },
      h('p', {}, 'Record the token of ', foreign(token.name), ' now. It is shown this once, and never again.'),
      secret.element,
      isDeveloper && copyRow('Log in from a terminal', line, 'Copy command', onCopied).element,
      said,
    ),
    h(
      'footer',
      { class: 'dialog-foot' },
      warning,
      h(
        'div',
        { class: 'buttons' },
        h('button', { type: 'button', class: 'primary', on: { click: () => dialog.requestClose() } }, 'Done'),
      ),
    ),
  );
  const dialog = openDialog({
    title,
    body,
    className: 'wide',
    opener,
    focus: () => secret.button,
    unsaved: () => !copied,
    mayClose() {
      if (copied || warned) return true;
      warned = true;
      replaceContent(
        warning,
        h(
          'p',
          {},
          'You have not copied the token here. Nobody can show it again once this is closed. If you have it, close this once more.',
        ),
      );
      return false;
    },
    onClosed,
  });
}

function copyRow(label: string, text: string, action: string, onCopied: (done: boolean) => void) {
  const input = h('input', { class: 'mono', readonly: true, 'aria-label': label, on: { focus: () => input.select() } });
  input.value = text;
  const button = h('button', { type: 'button', on: { click: () => void copy() } }, action);

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      onCopied(true);
    } catch {
      // There is no clipboard without HTTPS or without the person's permission.
      input.select();
      onCopied(false);
    }
  }

  const element = h(
    'div',
    { class: 'copy' },
    h('p', { class: 'label', 'aria-hidden': 'true' }, label),
    h('div', { class: 'copy-row' }, input, button),
  );
  return { element, button };
}
