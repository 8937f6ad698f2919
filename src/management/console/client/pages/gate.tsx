import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, base, call, sentence } from '../api.js';
import { t } from '../i18n.js';
import { branding, brandName, loginUrl } from '../page-data.js';
import { Brand } from '../parts/brand.js';
import { Button } from '../parts/button.js';
import type { Close } from '../parts/dialog.js';
import { TextField } from '../parts/fields.js';
import { FormDialog } from '../parts/form.js';

/** @throws ApiError with the path `token`: here a 401 is about the token, not about the session */
async function signIn(token: string): Promise<void> {
  try {
    await call('POST', 'api/v1/session', { body: { token: token.trim() } });
  } catch (error) {
    // No status of a session that is over.
    throw error instanceof ApiError ? new ApiError(400, error.code, error.message, 'token') : error;
  }
}

export const endSession = () => call<unknown>('DELETE', 'api/v1/session');

interface TokenFieldProps {
  readonly value: string;
  readonly error: string | undefined;
  readonly onInput: (value: string) => void;
}

function TokenField(props: TokenFieldProps) {
  return <TextField label={t('gate.token')} hint={t('gate.tokenHint')} required secret mono {...props} />;
}

function Gate({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <div class="gate">
      <div class="card">
        <Brand />
        <h1 tabIndex={-1}>{title}</h1>
        {children}
      </div>
    </div>
  );
}

/** The page for someone who is not signed in. */
export function SignIn({ done }: { readonly done: () => void }) {
  const [token, setToken] = useState('');
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  async function onSubmit(event: Event): Promise<void> {
    event.preventDefault();
    if (busy) return;
    if (token.trim() === '') return setError(t('gate.tokenMissing'));
    setBusy(true);
    try {
      await signIn(token);
      done();
    } catch (failure) {
      setError(sentence(failure));
    } finally {
      setBusy(false);
    }
  }

  useEffect(() => {
    if (error !== undefined) form.current?.querySelector('input')?.focus();
  }, [error]);

  return (
    <Gate title={t('gate.title', { name: brandName })}>
      <p class="lead">{t('gate.lead')}</p>
      {/* `post`, so that the browser's own submit keeps the token out of the address if this script fails. */}
      <form method="post" novalidate ref={form} onSubmit={(event) => void onSubmit(event)}>
        <TokenField
          value={token}
          error={error}
          onInput={(value) => {
            setToken(value);
            setError(undefined);
          }}
        />
        <Button submit kind="primary">
          {t(busy ? 'gate.busy' : 'gate.signIn')}
        </Button>
      </form>
    </Gate>
  );
}

/** For an application that has a login of its own. */
export function SignedOut({ retry }: { readonly retry: () => void }) {
  const back = location.pathname + location.search;
  const named = branding.name !== undefined;
  return (
    <Gate title={t('gate.signedOut')}>
      <p class="lead">{named ? t('gate.signedOutLead', { name: brandName }) : t('gate.signedOutBare')}</p>
      <div class="buttons">
        {loginUrl !== null && (
          <a class="button primary" href={loginUrl.replaceAll('{return}', encodeURIComponent(back))}>
            {t('gate.signIn')}
          </a>
        )}
        {loginUrl === null && branding.home !== undefined && (
          <a class="button primary" href={branding.home}>
            {t('gate.home', { name: brandName })}
          </a>
        )}
        <Button {...(loginUrl === null && branding.home === undefined && { kind: 'primary' as const })} onClick={retry}>
          {t('app.tryAgain')}
        </Button>
      </div>
    </Gate>
  );
}

/** Signs in again above the page, so that no input is lost. */
export function SignInAgain({ close, done }: { readonly close: Close; readonly done: () => void }) {
  return (
    <FormDialog
      title={t('gate.again')}
      close={close}
      initial={{ token: '' }}
      check={({ token }) => (token.trim() === '' ? { token: t('gate.tokenMissing') } : {})}
      paths={{ token: 'token' }}
      keeps={false}
      submit={t('gate.signIn')}
      busy={t('gate.busy')}
      send={({ token }) => signIn(token)}
      done={done}
    >
      {({ values, errors, set }) => (
        <TokenField value={values.token} error={errors.token} onInput={(token) => set('token', token)} />
      )}
    </FormDialog>
  );
}

/** The page of an address that has none. */
export function Missing() {
  return (
    <Gate title={t('missing.title')}>
      <p class="lead">{t('missing.lead')}</p>
      <div class="buttons">
        <a class="button primary" href={new URL('api_tokens', base).pathname}>
          {t('missing.back')}
        </a>
      </div>
    </Gate>
  );
}
