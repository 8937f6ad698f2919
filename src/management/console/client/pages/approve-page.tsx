import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LoginRequest } from '../../../wire/types.js';
import { ApiError, call, isSignedOut } from '../api.js';
import { t, tx } from '../i18n.js';
import { usePage } from '../page-context.js';
import { Button } from '../parts/button.js';
import { SelectField, TextField } from '../parts/fields.js';
import { ProblemOf } from '../parts/form.js';
import { Facts, Failed, Loading, PageHead } from '../parts/page.js';
import { Foreign } from '../parts/text.js';
import { type Draft, draftOf, errorOf, grantLines, grantsOf } from '../tokens/grants.js';
import { GrantsField } from '../tokens/grants-field.js';
import { fromNow, inFull, inLife } from '../words.js';

type Step =
  | { readonly at: 'loading' }
  | { readonly at: 'code' }
  | { readonly at: 'failed'; readonly error: unknown }
  | { readonly at: 'request'; readonly request: LoginRequest; readonly userCode: string | null }
  | { readonly at: 'end'; readonly result: 'approved' | 'refused' | 'over' };

/**
 * Approves the login of a terminal as this person. The sender of the link could get a token this way (RFC 8628 section 5.4). So the
 * page asks for the code on the person's own terminal, shows the request, and does nothing by itself.
 */
export function ApprovePage({ code }: { readonly code: string }) {
  const { session, signedOut } = usePage();
  const [step, setStep] = useState<Step>({ at: 'loading' });
  const address = `api/v1/auth/requests/${encodeURIComponent(code)}`;

  async function load(): Promise<void> {
    try {
      const request = await call<LoginRequest>('POST', address, { body: {} });
      setStep({ at: 'request', request, userCode: null });
    } catch (error) {
      if (isSignedOut(error)) signedOut();
      else if (error instanceof ApiError && error.code === 'user_code_missing') setStep({ at: 'code' });
      else if (isOver(error)) setStep({ at: 'end', result: 'over' });
      else setStep({ at: 'failed', error });
    }
  }
  useEffect(() => void load(), [code]);

  return (
    <div class="page narrow">
      <PageHead
        title={t('login.title')}
        lead={tx('login.lead', { organization: <Foreign text={session.organization.name} /> })}
      />
      {step.at === 'loading' && <Loading />}
      {step.at === 'failed' && <Failed error={step.error} retry={() => void load()} />}
      {step.at === 'code' && <CodeForm address={address} next={setStep} />}
      {step.at === 'request' && (
        <Request address={address} request={step.request} userCode={step.userCode} next={setStep} />
      )}
      {step.at === 'end' && <End result={step.result} />}
    </div>
  );
}

/** Whether the login can no longer be answered. */
function isOver(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 409);
}

interface StepProps {
  readonly address: string;
  readonly next: (step: Step) => void;
}

function CodeForm({ address, next }: StepProps) {
  const [typed, setTyped] = useState('');
  const [wrong, setWrong] = useState<string>();
  const [problem, setProblem] = useState<unknown>(null);
  const [failures, setFailures] = useState(0);
  const form = useRef<HTMLFormElement>(null);
  const busy = useRef(false);
  useEffect(() => form.current?.querySelector('input')?.focus(), [failures]);

  async function onSubmit(event: Event): Promise<void> {
    event.preventDefault();
    if (busy.current) return;
    setProblem(null);
    if (typed.trim() === '') return setWrong(t('login.codeMissing'));
    busy.current = true;
    try {
      const request = await call<LoginRequest>('POST', address, { body: { user_code: typed } });
      next({ at: 'request', request, userCode: typed });
    } catch (error) {
      if (isOver(error)) return next({ at: 'end', result: 'over' });
      if (error instanceof ApiError && error.path === 'user_code') setWrong(error.message);
      else setProblem(error);
      setFailures(failures + 1);
    } finally {
      busy.current = false;
    }
  }

  return (
    <form method="post" class="card" novalidate ref={form} onSubmit={(event) => void onSubmit(event)}>
      <p>{t('login.codeIntro')}</p>
      <TextField
        label={t('login.code')}
        hint={t('login.codeHint')}
        required
        mono
        most={20}
        value={typed}
        error={wrong}
        onInput={(value) => {
          setTyped(value);
          setWrong(undefined);
        }}
      />
      <Problem error={problem} />
      <div class="buttons">
        <Button submit kind="primary">
          {t('login.continue')}
        </Button>
      </div>
    </form>
  );
}

function Problem({ error }: { readonly error: unknown }) {
  return (
    <div class="problem" role="alert">
      {error !== null && <ProblemOf error={error} />}
    </div>
  );
}

interface RequestProps extends StepProps {
  readonly request: LoginRequest;
  /** The typed code; `null` for a login without one. */
  readonly userCode: string | null;
}

function Request({ address, request, userCode, next }: RequestProps) {
  const { session } = usePage();
  const [types, setTypes] = useState<Draft>(() => draftOf(session, request.asked ?? {}));
  const [life, setLife] = useState(request.token_expires_in);
  const [isOpen, setOpen] = useState(request.asked === null);
  const [tried, setTried] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState<'approve' | 'deny' | null>(null);
  const wrong = tried ? errorOf(types, session) : undefined;

  async function send(verb: 'approve' | 'deny'): Promise<void> {
    if (busy !== null) return;
    setProblem(null);
    if (verb === 'approve' && errorOf(types, session) !== undefined) {
      setTried(true);
      setOpen(true);
      return;
    }
    setBusy(verb);
    const isOtherLife = request.token_expires_at === null && life !== request.token_expires_in;
    const answer = { types: grantsOf(types, session), ...(isOtherLife && { expires_in: life }) };
    try {
      await call('POST', `${address}/${verb}`, { body: { user_code: userCode, ...(verb === 'approve' && answer) } });
      next({ at: 'end', result: verb === 'approve' ? 'approved' : 'refused' });
    } catch (error) {
      setProblem(error);
      setBusy(null);
    }
  }

  return (
    <>
      {!request.bound && (
        <div class="notice danger" role="note">
          <h2>{t('login.unbound')}</h2>
          <p>{t('login.unboundText')}</p>
        </div>
      )}
      <section class="card" aria-label={t('login.request')}>
        <RequestFacts request={request} />
        <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
          <summary>{t(request.asked === null ? 'login.choose' : 'login.change')}</summary>
          <GrantsField session={session} value={types} error={wrong} onChange={setTypes} />
          {request.token_expires_at === null && (
            <SelectField
              label={t('login.life')}
              value={life}
              options={[...new Set([request.token_expires_in, '1d', '7d', '30d', '90d'])].map((each) => [
                each,
                inLife(each),
              ])}
              onChange={setLife}
            />
          )}
        </details>
        <p class="hint">{t('login.care')}</p>
        <Problem error={problem} />
        <div class="buttons">
          <Button onClick={() => void send('deny')}>{t(busy === 'deny' ? 'login.refusing' : 'login.refuse')}</Button>
          <Button kind="primary" onClick={() => void send('approve')}>
            {t(busy === 'approve' ? 'login.approving' : 'login.approve')}
          </Button>
        </div>
      </section>
    </>
  );
}

function RequestFacts({ request }: { readonly request: LoginRequest }) {
  const { session } = usePage();
  const { from, created_at, token_expires_at, token_expires_in, asked } = request;
  const ends = token_expires_at === null ? null : new Date(token_expires_at);
  const fact = (label: string, value: ComponentChildren) => ({ label, value });
  return (
    <Facts
      facts={[
        fact(t('login.from'), from === null ? t('login.fromUnknown') : <Foreign text={from} mono />),
        fact(t('login.asked'), <time dateTime={created_at}>{fromNow(new Date(created_at))}</time>),
        fact(
          t('login.token'),
          ends === null
            ? t('login.worksFor', { time: inLife(token_expires_in) })
            : t('login.worksUntil', { date: inFull(ends), relative: fromNow(ends) }),
        ),
        ...(asked === null
          ? [fact(t('login.asksFor'), t('login.asksNothing'))]
          : grantLines(session, asked).map(({ label, words }) => fact(label, <Foreign text={words} />))),
      ]}
    />
  );
}

function End({ result }: { readonly result: 'approved' | 'refused' | 'over' }) {
  const { go } = usePage();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="card" role="status">
      <h2 tabIndex={-1} ref={heading}>
        {t(`login.${result}`)}
      </h2>
      <p>{t(`login.${result}Text`)}</p>
      <div class="buttons">
        <Button kind="primary" onClick={() => go('api_tokens')}>
          {t('login.go')}
        </Button>
      </div>
    </section>
  );
}
