import type { ComponentChildren } from 'preact';
import type { IssuedToken, Token } from '../../../wire/types.js';
import { t } from '../i18n.js';
import { usePage } from '../page-context.js';
import type { Close } from '../parts/dialog.js';
import { Choice as Box, RadioField, TextField } from '../parts/fields.js';
import { type Form, FormDialog } from '../parts/form.js';
import { Notice } from '../parts/page.js';
import { inFull } from '../words.js';
import { createToken, type Ownership, updateToken } from './calls.js';
import { type Expiry, ExpiryField, endOf, expiryError, IN_30_DAYS, KEEP } from './expiry.js';
import { type Draft, draftOf, errorOf, grantsOf, sentenceOf } from './grants.js';
import { GrantsField } from './grants-field.js';
import {
  type LimitDraft,
  limitError,
  limitSentence,
  limitsOf,
  NO_LIMITS,
  quotaDraft,
  rateDraft,
} from './limit-draft.js';
import { LimitsField } from './limits-field.js';
import { isAlive } from './state.js';

const NAME_LENGTH = 200;
const DESCRIPTION_LENGTH = 2_000;

const PATHS = {
  name: 'name',
  description: 'description',
  ownership: 'ownership',
  types: 'types',
  scopes: 'types',
  expired_at: 'expiry',
  expiresAt: 'expiry',
  expiresIn: 'expiry',
  expires_in: 'expiry',
  rate_limit: 'rate',
  rateLimit: 'rate',
  quota: 'quota',
} as const;

interface Texts {
  readonly name: string;
  readonly description: string;
}

function nameError({ name }: Texts): string | undefined {
  return name.trim() === '' ? t('form.nameMissing') : undefined;
}

function TextFields<Values extends Texts>({ form }: { readonly form: Form<Values> }) {
  return (
    <>
      <TextField
        label={t('form.name')}
        hint={t('form.nameHint')}
        required
        most={NAME_LENGTH}
        value={form.values.name}
        error={form.errors.name}
        onInput={(name) => form.set('name', name)}
      />
      <TextField
        label={t('form.description')}
        multiline
        most={DESCRIPTION_LENGTH}
        value={form.values.description}
        error={form.errors.description}
        onInput={(description) => form.set('description', description)}
      />
    </>
  );
}

interface CreateTokenProps {
  readonly close: Close;
  readonly ownership: Ownership;
  readonly done: (token: IssuedToken) => void;
}

/** The dialog that makes a token. `done` gets it with its secret. */
export function CreateToken({ close, ownership, done }: CreateTokenProps) {
  const { session } = usePage();
  const opened = Date.now();
  return (
    <FormDialog
      title={t('form.createTitle')}
      wide
      close={close}
      initial={{
        name: '',
        description: '',
        ownership: session.can.manageTokens ? ownership : 'personal',
        types: draftOf(session),
        expiry: IN_30_DAYS,
        opened,
        rate: rateDraft(NO_LIMITS),
        quota: quotaDraft(NO_LIMITS),
      }}
      check={(values) => ({
        name: nameError(values),
        types: errorOf(values.types, session),
        expiry: expiryError(values.expiry),
        rate: limitError(values.rate),
        quota: limitError(values.quota),
      })}
      paths={PATHS}
      submit={t('tokens.create')}
      busy={t('form.creating')}
      send={({ name, description, ownership: belongs, types, expiry, opened: at, rate, quota }) =>
        createToken({
          name,
          description,
          types: grantsOf(types, session),
          expired_at: inIso(endOf(expiry, at)),
          ownership: belongs,
          ...(session.limits && limitsOf(rate, quota)),
        })
      }
      done={done}
    >
      {(form) => (
        <>
          <TextFields form={form} />
          {session.can.manageTokens && (
            <RadioField<Ownership>
              label={t('form.belongs')}
              value={form.values.ownership}
              error={form.errors.ownership}
              options={[
                { value: 'personal', label: t('form.me'), hint: t('form.meHint') },
                { value: 'organization', label: t('form.organization'), hint: t('form.organizationHint') },
              ]}
              onChange={(value) => form.set('ownership', value)}
            />
          )}
          <GrantsField
            session={session}
            value={form.values.types}
            error={form.errors.types}
            onChange={(types) => form.set('types', types)}
          />
          <ExpiryField
            value={form.values.expiry}
            now={form.values.opened}
            error={form.errors.expiry}
            onChange={(expiry) => form.set('expiry', expiry)}
          />
          {session.limits && <LimitsField values={form.values} errors={form.errors} onChange={form.set} />}
          <Sentence {...form.values} end={endOf(form.values.expiry, form.values.opened) ?? null} />
        </>
      )}
    </FormDialog>
  );
}

interface UpdateTokenProps {
  readonly close: Close;
  readonly token: Token;
  readonly done: (token: Token) => void;
}

/** The dialog that changes a token. Only changed fields are sent. */
export function UpdateToken({ close, token, done }: UpdateTokenProps) {
  const { session } = usePage();
  const before = draftOf(session, token.types, token.dead_grants);
  const dead = [...new Set(token.dead_grants.map(({ endpoint }) => endpoint))];
  /** Unchanged grants are neither checked nor sent: the caller need not be able to give them. */
  const isRegranted = ({ types, takeDead }: { readonly types: Draft; readonly takeDead: boolean }) =>
    takeDead || JSON.stringify(types) !== JSON.stringify(before);
  return (
    <FormDialog
      title={t('form.updateTitle')}
      wide
      close={close}
      initial={{
        name: token.name,
        description: token.description,
        types: before,
        takeDead: false,
        expiry: KEEP as Expiry,
        opened: Date.now(),
        rate: rateDraft(token),
        quota: quotaDraft(token),
      }}
      check={(values) => ({
        name: nameError(values),
        types: isRegranted(values) ? errorOf(values.types, session) : undefined,
        expiry: expiryError(values.expiry),
        rate: limitError(values.rate),
        quota: limitError(values.quota),
      })}
      paths={PATHS}
      submit={t('token.update')}
      busy={t('form.updating')}
      send={async (values) => {
        const end = endOf(values.expiry, values.opened);
        const changes = {
          ...(values.name !== token.name && { name: values.name }),
          ...(values.description !== token.description && { description: values.description }),
          ...(isRegranted(values) && { types: grantsOf(values.types, session) }),
          ...(end !== undefined && { expired_at: inIso(end) }),
          ...changed(token, limitsOf(values.rate, values.quota)),
        };
        return Object.keys(changes).length === 0 ? token : updateToken(token, changes);
      }}
      done={done}
    >
      {(form) => (
        <>
          {token.revoked_at !== null && <Notice>{t('form.isRevoked')}</Notice>}
          {token.revoked_at === null && token.is_expired && <Notice>{t('form.isExpired')}</Notice>}
          <TextFields form={form} />
          <GrantsField
            session={session}
            value={form.values.types}
            dead={token.dead_grants}
            error={form.errors.types}
            onChange={(types) => form.set('types', types)}
          />
          {dead.length > 0 && (
            <Box
              label={t('form.dead')}
              hint={t('form.deadHint', { names: dead.join(', ') })}
              checked={form.values.takeDead}
              onChange={(takeDead) => form.set('takeDead', takeDead)}
            />
          )}
          {!token.is_expired && (
            <ExpiryField
              value={form.values.expiry}
              now={form.values.opened}
              current={token.expired_at}
              error={form.errors.expiry}
              onChange={(expiry) => form.set('expiry', expiry)}
            />
          )}
          {session.limits && isAlive(token) && (
            <LimitsField values={form.values} errors={form.errors} onChange={form.set} />
          )}
          <Sentence {...form.values} end={endInForm(token, form.values)} />
        </>
      )}
    </FormDialog>
  );
}

function endInForm({ expired_at }: Token, { expiry, opened }: { readonly expiry: Expiry; readonly opened: number }) {
  const end = endOf(expiry, opened);
  if (end !== undefined) return end;
  return expired_at === null ? null : Date.parse(expired_at);
}

/** The limits that differ from those of a token. A limit that is sent starts anew. */
function changed(token: Token, limits: Pick<Token, 'rate_limit' | 'quota'>) {
  const differs = (key: keyof typeof limits) => JSON.stringify(limits[key]) !== JSON.stringify(token[key]);
  return {
    ...(differs('rate_limit') && { rate_limit: limits.rate_limit }),
    ...(differs('quota') && { quota: limits.quota }),
  };
}

interface SentenceProps {
  readonly types: Draft;
  readonly rate: LimitDraft;
  readonly quota: LimitDraft;
  readonly end: number | null;
}

/** What the token in the form can do, kept up to date. */
function Sentence({ types, rate, quota, end }: SentenceProps): ComponentChildren {
  const { session } = usePage();
  const life =
    end === null
      ? t('can.forever')
      : Number.isNaN(end)
        ? t('can.noDate')
        : t('can.until', { date: inFull(new Date(end)) });
  return (
    <p class="sentence" role="status">
      <strong>{sentenceOf(session, grantsOf(types, session))}</strong> {limitSentence(limitsOf(rate, quota))} {life}
    </p>
  );
}

function inIso(end: number | null | undefined): string | null {
  return end === null || end === undefined || Number.isNaN(end) ? null : new Date(end).toISOString();
}
