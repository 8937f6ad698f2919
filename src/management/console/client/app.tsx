import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Session } from '../../wire/types.js';
import { ApiError, isSignedOut, sentence } from './api.js';
import { choose, LANGUAGES, type Language, language, t } from './i18n.js';
import { Link, PageProvider } from './page-context.js';
import { brandName, found, signOut } from './page-data.js';
import { ApprovePage } from './pages/approve-page.js';
import { AuditPage } from './pages/audit-page.js';
import { EndpointsPage } from './pages/endpoints-page.js';
import { endSession, Missing, SignedOut, SignIn, SignInAgain } from './pages/gate.js';
import { TokenPage } from './pages/token-page.js';
import { TokensPage } from './pages/tokens-page.js';
import { UsagePage } from './pages/usage-page.js';
import { Brand } from './parts/brand.js';
import { Button } from './parts/button.js';
import { Dialogs, openDialog } from './parts/dialog.js';
import { Failed, Loading } from './parts/page.js';
import { announce, StatusRegion } from './parts/status.js';
import { Foreign } from './parts/text.js';
import { useRoute } from './route.js';
import { offerSignInAgain, readSession } from './session.js';
import { Owner } from './tokens/columns.js';

type Who =
  | { readonly is: 'unknown' }
  | { readonly is: 'failed'; readonly error: unknown }
  /** `here`: the console has its own sign-in. */
  | { readonly is: 'nobody'; readonly here: boolean }
  | { readonly is: 'someone'; readonly session: Session };

interface Page {
  readonly path: string;
  readonly title: string;
  readonly may: (session: Session) => boolean;
  readonly content: () => ComponentChildren;
}

const PAGES: readonly Page[] = [
  { path: 'api_tokens', title: t('nav.tokens'), may: () => true, content: () => <TokensPage /> },
  {
    path: 'endpoints',
    title: t('nav.endpoints'),
    may: ({ can }) => can.readEndpoints,
    content: () => <EndpointsPage />,
  },
  { path: 'usage', title: t('nav.usage'), may: ({ can }) => can.listTokens, content: () => <UsagePage /> },
  { path: 'audit', title: t('nav.audit'), may: ({ can }) => can.readAudit, content: () => <AuditPage /> },
];

export function App() {
  const [who, setWho] = useState<Who>({ is: 'unknown' });
  const route = useRoute();

  async function start(): Promise<void> {
    try {
      const session = await readSession();
      offerSignInAgain(session.sign_out ? openSignIn : null);
      setWho({ is: 'someone', session });
    } catch (error) {
      const here = error instanceof ApiError && error.problem.sign_in === true;
      setWho(isSignedOut(error) ? { is: 'nobody', here } : { is: 'failed', error });
    }
  }
  useEffect(() => {
    if (found) void start();
  }, []);

  if (!found) return <Main title={t('missing.title')}>{<Missing />}</Main>;
  if (who.is === 'unknown') return <Main title={brandName}>{<Loading />}</Main>;
  if (who.is === 'failed') {
    return (
      <Main title={brandName}>
        <div class="page">
          <h1 tabIndex={-1}>{brandName}</h1>
          <Failed error={who.error} retry={() => void start()} />
        </div>
      </Main>
    );
  }
  if (who.is === 'nobody') {
    return (
      <Main title={t('gate.signIn')}>
        {who.here ? (
          <SignIn done={() => void start().then(route.focusHeading)} />
        ) : (
          <SignedOut retry={() => void start()} />
        )}
      </Main>
    );
  }
  const { session } = who;
  const nobody = () => setWho({ is: 'nobody', here: session.sign_out });
  const [name = '', detail] = route.path.split('/');
  const page = PAGES.find(({ path, may }) => path === name && may(session)) ?? (PAGES[0] as Page);
  if (page.path !== name) route.replace(page.path);
  const code = new URLSearchParams(location.search).get('code');
  const isToken = page.path === 'api_tokens' && detail !== undefined && detail !== '';
  const isLogin = page.path === 'api_tokens' && !isToken && code !== null;
  return (
    <PageProvider value={{ session, signedOut: nobody, opened: route.visit > 0, go: route.go }}>
      <Main
        title={isLogin ? t('login.title') : page.title}
        bar={<Bar session={session} current={isLogin ? '' : page.path} left={nobody} />}
      >
        {/* The key: a page begins anew each time it is opened. */}
        <div key={route.visit}>
          {isLogin ? <ApprovePage code={code} /> : isToken ? <TokenPage uid={detail} /> : page.content()}
        </div>
      </Main>
    </PageProvider>
  );
}

function openSignIn(): void {
  openDialog((close) => <SignInAgain close={close} done={() => announce(t('gate.signedInAgain'))} />);
}

interface MainProps {
  readonly title: string;
  readonly bar?: ComponentChildren;
  readonly children: ComponentChildren;
}

function Main({ title, bar, children }: MainProps) {
  useEffect(() => {
    document.title = title === brandName ? title : `${title} · ${brandName}`;
  }, [title]);
  return (
    <>
      {bar}
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <footer class="foot">
        <Languages />
      </footer>
      <StatusRegion />
      <Dialogs />
    </>
  );
}

function Languages() {
  return (
    <label class="filter">
      <span>{t('app.language')}</span>
      <select value={language} onChange={({ currentTarget }) => choose(currentTarget.value as Language)}>
        {Object.entries(LANGUAGES).map(([key, name]) => (
          <option key={key} value={key} lang={key}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

interface BarProps {
  readonly session: Session;
  readonly current: string;
  /** Called once the person has signed out. */
  readonly left: () => void;
}

function Bar({ session, current, left }: BarProps) {
  const { user, owner, organization, sign_out } = session;
  async function leave(): Promise<void> {
    try {
      await endSession();
      left();
    } catch (error) {
      announce(sentence(error));
    }
  }
  return (
    <>
      <a href="#main" class="skip">
        {t('app.skip')}
      </a>
      <header class="bar">
        <Brand />
        <nav aria-label={t('app.pages')}>
          {PAGES.filter(({ may }) => may(session)).map(({ path, title }) => (
            <Link key={path} to={path} current={path === current}>
              {title}
            </Link>
          ))}
        </nav>
        <div class="who">
          <p>
            <Owner user={user} owner={owner} />
            <span class="quiet">
              <Foreign text={organization.name} />
            </span>
          </p>
          {sign_out && (
            <Button kind="plain" onClick={() => void leave()}>
              {t('app.signOut')}
            </Button>
          )}
          {!sign_out && signOut !== null && (
            <a class="button plain" href={signOut}>
              {t('app.signOut')}
            </a>
          )}
        </div>
      </header>
    </>
  );
}
