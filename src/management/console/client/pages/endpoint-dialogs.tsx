import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Access, AffectedToken, Endpoint, Preview } from '../../../wire/types.js';
import { changeAccess, createEndpoint, deleteEndpoint, isEndpointName, previewAccess } from '../endpoints.js';
import { t } from '../i18n.js';
import { Button } from '../parts/button.js';
import { ConfirmByName } from '../parts/confirm.js';
import type { Close } from '../parts/dialog.js';
import { RadioField, TextField } from '../parts/fields.js';
import { FormDialog, ProblemOf } from '../parts/form.js';
import { Notice } from '../parts/page.js';
import { Foreign } from '../parts/text.js';
import { fromNow } from '../words.js';

/** The most tokens that are named. The others are counted. */
const NAMED = 20;
const PATHS = { id: 'id', access: 'access' } as const;

interface AccessFieldProps {
  readonly value: Access;
  readonly error?: string | undefined;
  readonly onChange: (access: Access) => void;
}

function AccessField({ value, error, onChange }: AccessFieldProps) {
  return (
    <RadioField<Access>
      label={t('endpoints.access')}
      value={value}
      error={error}
      options={(['protected', 'private', 'public'] as const).map((access) => ({
        value: access,
        label: t(`access.${access}`),
        hint: t(`access.${access}Hint`),
      }))}
      onChange={onChange}
    />
  );
}

interface CreateEndpointProps {
  readonly close: Close;
  readonly done: (endpoint: Endpoint) => void;
}

export function CreateEndpoint({ close, done }: CreateEndpointProps) {
  const check = ({ id }: { readonly id: string }) => {
    if (isEndpointName(id)) return {};
    return { id: t(id === '' ? 'endpoints.nameMissing' : 'endpoints.nameWrong') };
  };
  return (
    <FormDialog
      title={t('endpoints.createTitle')}
      close={close}
      initial={{ id: '', access: 'protected' as Access }}
      check={check}
      paths={PATHS}
      submit={t('endpoints.create')}
      busy={t('form.creating')}
      send={({ id, access }) => createEndpoint(id, access)}
      done={done}
    >
      {({ values, errors, set }) => (
        <>
          <TextField
            label={t('endpoints.name')}
            hint={t('endpoints.nameHint')}
            required
            mono
            most={100}
            value={values.id}
            error={errors.id}
            onInput={(id) => set('id', id)}
          />
          <AccessField value={values.access} error={errors.access} onChange={(access) => set('access', access)} />
          {values.access === 'public' && <Notice tone="danger">{t('preview.public')}</Notice>}
        </>
      )}
    </FormDialog>
  );
}

interface EndpointDialogProps<Answer> {
  readonly close: Close;
  readonly endpoint: Endpoint;
  readonly done: (answer: Answer) => void;
}

/** Changes an endpoint's access. First it shows which tokens gain and lose access. */
export function ChangeAccess({ close, endpoint, done }: EndpointDialogProps<Endpoint>) {
  /** The access whose effects were shown. */
  const [seen, setSeen] = useState<Access | null>(null);
  return (
    <FormDialog
      title={t('endpoints.change')}
      wide
      close={close}
      initial={{ access: endpoint.access }}
      paths={PATHS}
      submit={t('endpoints.change')}
      busy={t('endpoints.changing')}
      danger={seen === 'public'}
      allowed={({ access }) => access !== endpoint.access && access === seen}
      send={({ access }) => changeAccess(endpoint.id, access)}
      done={done}
    >
      {({ values, errors, set }) => (
        <>
          <p class="named">
            <Foreign text={endpoint.id} mono />
          </p>
          <AccessField value={values.access} error={errors.access} onChange={(access) => set('access', access)} />
          {values.access === endpoint.access ? (
            <p class="hint" role="status">
              {t('preview.same', { access: t(`access.${endpoint.access}`) })}
            </p>
          ) : (
            <Effect id={endpoint.id} to={values.access} onShown={() => setSeen(values.access)}>
              {(preview) => <Change preview={preview} />}
            </Effect>
          )}
        </>
      )}
    </FormDialog>
  );
}

interface EffectProps {
  readonly id: string;
  readonly to: Access;
  readonly onShown?: () => void;
  readonly children: (preview: Preview) => ComponentChildren;
}

/** Reads the effects of an access, and shows them. */
function Effect({ id, to, onShown, children }: EffectProps) {
  const [preview, setPreview] = useState<Preview | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setError(null);
    previewAccess(id, to, abort.signal).then(
      (found) => {
        setPreview(found);
        onShown?.();
      },
      (failure: unknown) => abort.signal.aborted || setError(failure),
    );
    return () => abort.abort();
  }, [id, to, turn]);
  return (
    <div class="preview" role="status">
      {error !== null && (
        <div class="problem">
          <ProblemOf error={error} />
          <Button onClick={() => setTurn(turn + 1)}>{t('app.tryAgain')}</Button>
        </div>
      )}
      {error === null && preview?.to !== to && <p class="hint">{t('preview.loading')}</p>}
      {error === null && preview?.to === to && children(preview)}
    </div>
  );
}

function Change({ preview }: { readonly preview: Preview }) {
  const { to, open_to_anyone, lose_count, lose, gain_count, gain, more } = preview;
  return (
    <>
      <Notice tone={open_to_anyone ? 'danger' : 'warning'}>{t(`preview.${to}`)}</Notice>
      {open_to_anyone && <p>{t('preview.anyone')}</p>}
      {lose_count === 0 ? <p>{t('preview.noLoss')}</p> : <Affected what="lose" count={lose_count} tokens={lose} />}
      {gain_count > 0 && <Affected what="gain" count={gain_count} tokens={gain} />}
      {more && <p class="quiet">{t('preview.more')}</p>}
    </>
  );
}

interface AffectedProps {
  readonly what: 'lose' | 'gain' | 'granted';
  readonly count: number;
  readonly tokens: readonly AffectedToken[];
}

function Affected({ what, count, tokens }: AffectedProps) {
  const named = tokens.slice(0, NAMED);
  return (
    <div>
      <h3>{t(`preview.${what}`, { count })}</h3>
      <ul class="affected">
        {named.map(({ token, last_used_at }) => (
          <li key={token.uid}>
            <Foreign text={token.name} />{' '}
            <span class="quiet">
              {last_used_at === null
                ? t('preview.neverUsed')
                : t('preview.usedIt', { relative: fromNow(new Date(last_used_at)) })}
            </span>
          </li>
        ))}
        {count > named.length && <li class="quiet">{t('preview.others', { count: count - named.length })}</li>}
      </ul>
    </div>
  );
}

export function DeleteEndpoint({ close, endpoint, done }: EndpointDialogProps<void>) {
  // Of a private endpoint no token from outside gets through: those that it would let through are the granted ones.
  const isPrivate = endpoint.access === 'private';
  return (
    <ConfirmByName
      title={t('endpoints.deleteTitle')}
      name={endpoint.id}
      close={close}
      submit={t('endpoints.delete')}
      busy={t('delete.busy')}
      send={() => deleteEndpoint(endpoint.id)}
      done={done}
    >
      <p>{t('endpoints.deleteText')}</p>
      {endpoint.access === 'public' && <Notice tone="danger">{t('preview.wasPublic')}</Notice>}
      <Effect id={endpoint.id} to={isPrivate ? 'protected' : 'private'}>
        {({ gain, gain_count, lose, lose_count, more }) => {
          const count = isPrivate ? gain_count : lose_count;
          if (count === 0) return <p>{t('preview.noLoss')}</p>;
          return (
            <>
              <Affected what={isPrivate ? 'granted' : 'lose'} count={count} tokens={isPrivate ? gain : lose} />
              {more && <p class="quiet">{t('preview.more')}</p>}
            </>
          );
        }}
      </Effect>
    </ConfirmByName>
  );
}
