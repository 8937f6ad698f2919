import type { Session } from '../../wire/types.js';
import { ApiError, base, isSignedOut } from './api.js';
import { approvePage } from './approve-page.js';
import { auditPage } from './audit-page.js';
import { anythingUnsaved, closeDialogs } from './dialog.js';
import { type Child, foreign, h, icon, replaceContent } from './dom.js';
import { endpointsPage } from './endpoints-page.js';
import { sentence } from './form.js';
import type { PageContext } from './page.js';
import { offerSignInAgain, readSession } from './session.js';
import { openSignIn, signedOutPage, signInPage, signOut } from './sign-in.js';
import { announce, statusRegion } from './status.js';
import { failedState } from './table.js';
import { nameOf } from './token-details.js';
import { tokensPage } from './tokens-page.js';

interface Page {
  readonly path: string;
  readonly title: string;
  readonly may: (session: Session) => boolean;
  readonly render: (context: PageContext) => HTMLElement;
}

const PAGES: readonly Page[] = [
  { path: 'api_tokens', title: 'API Tokens', may: () => true, render: tokensPage },
  { path: 'endpoints', title: 'Endpoints', may: ({ can }) => can.readEndpoints, render: endpointsPage },
  { path: 'audit', title: 'Audit', may: ({ can }) => can.readAudit, render: auditPage },
];

const app = document.querySelector('#app') as HTMLElement;
const main = h('main', { id: 'main', tabindex: -1 });
const head = h('div', {});
let session: Session | null = null;
/** Whether the console has its own sign-in. If not, the application signs people in. */
let signInOffered = false;
/** The position of the shown page in this tab's history. */
let position = positionIn(history.state);
/** Whether the next `popstate` only returns to the page that could not be left. */
let returning = false;

/** Reads the session and shows the page of the address. */
async function start(): Promise<void> {
  try {
    signedIn(await readSession());
  } catch (error) {
    session = null;
    if (isSignedOut(error)) {
      signInOffered = error instanceof ApiError && error.problem.sign_in === true;
      showSignIn();
      return;
    }
    show(
      'postern',
      h(
        'div',
        { class: 'page' },
        h('h1', { tabindex: -1 }, 'postern'),
        failedState(sentence(error), () => void start()),
      ),
    );
  }
}

function signedIn(found: Session): void {
  session = found;
  signInOffered = found.sign_out;
  const again = (opener: Element | null) => openSignIn(opener, () => announce('You are signed in again.'));
  offerSignInAgain(found.sign_out ? again : null);
  showPage();
}

function showPage(): void {
  if (session === null) {
    showSignIn();
    return;
  }
  const path = location.pathname.slice(base.pathname.length);
  const context: PageContext = { session, signedOut: showSignIn, go };
  const code = new URLSearchParams(location.search).get('code');
  if (code !== null && path === 'api_tokens') {
    show('Approve a login', approvePage(context, code));
    return;
  }
  const page = PAGES.find((each) => each.path === path && each.may(context.session)) ?? (PAGES[0] as Page);
  if (page.path !== path) history.replaceState(history.state, '', new URL(page.path, base));
  show(page.title, page.render(context), page.path);
}

function show(title: string, page: HTMLElement, current = ''): void {
  document.title = title === 'postern' ? title : `${title} · postern`;
  replaceContent(head, session !== null && bar(session, current));
  replaceContent(main, page);
}

/** Shows another page of the console. Its heading gets the focus, as after a page load. */
function go(path: string): void {
  position += 1;
  history.pushState({ position }, '', new URL(path, base));
  showPage();
  focusHeading();
}

/** Back and forward. A dialog with unsaved input stays open, and the address stays too. */
function onPopState({ state }: PopStateEvent): void {
  if (returning) {
    returning = false;
    return;
  }
  const next = positionIn(state);
  if (!closeDialogs()) {
    returning = true;
    history.go(position - next);
    return;
  }
  position = next;
  showPage();
}

function positionIn(state: unknown): number {
  const found = typeof state === 'object' && state !== null && 'position' in state ? state.position : 0;
  return typeof found === 'number' ? found : 0;
}

function focusHeading(): void {
  scrollTo(0, 0);
  main.querySelector<HTMLElement>('h1')?.focus();
}

function showSignIn(): void {
  session = null;
  show(
    'Sign in',
    signInOffered ? signInPage(() => void start().then(focusHeading)) : signedOutPage(() => void start()),
  );
}

function bar({ user, organization, can, sign_out }: Session, current: string): Child {
  const session = { can } as Session;
  const links = PAGES.filter(({ may }) => may(session)).map(({ path, title }) =>
    h(
      'a',
      {
        href: new URL(path, base).pathname,
        'aria-current': path === current ? 'page' : null,
        on: {
          click: (event) => {
            // The browser handles new tabs and downloads.
            if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return;
            event.preventDefault();
            go(path);
          },
        },
      },
      title,
    ),
  );
  return [
    h('a', { href: '#main', class: 'skip' }, 'Skip to the content'),
    h(
      'header',
      { class: 'bar' },
      h('p', { class: 'brand' }, icon('arch'), 'postern'),
      h('nav', { 'aria-label': 'Pages of the console' }, links),
      h(
        'div',
        { class: 'who' },
        h('p', {}, nameOf(user), h('span', { class: 'quiet' }, foreign(organization.name))),
        sign_out && h('button', { type: 'button', class: 'plain', on: { click: () => void leave() } }, 'Sign out'),
      ),
    ),
  ];
}

async function leave(): Promise<void> {
  try {
    await signOut();
    showSignIn();
    focusHeading();
  } catch (error) {
    announce(sentence(error));
  }
}

app.append(head, main, statusRegion());
addEventListener('popstate', onPopState);
addEventListener('beforeunload', (event) => {
  if (anythingUnsaved()) event.preventDefault();
});
void start();
