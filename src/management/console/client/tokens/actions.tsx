import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { escapeInvisible } from '../../../../domain/text.js';
import type { IssuedToken, Session, Token } from '../../../wire/types.js';
import { sentence, Unreachable } from '../api.js';
import { t, tx } from '../i18n.js';
import { usePage } from '../page-context.js';
import { ConfirmByName } from '../parts/confirm.js';
import { type Close, openDialog } from '../parts/dialog.js';
import { type Options, SelectField } from '../parts/fields.js';
import { FormDialog } from '../parts/form.js';
import type { MenuItem } from '../parts/menu.js';
import { Notice } from '../parts/page.js';
import { announce } from '../parts/status.js';
import { Foreign } from '../parts/text.js';
import { mayManage, mayRotate } from '../session.js';
import { fromNow } from '../words.js';
import { deleteToken, resetLimits, revokeToken, rotateToken } from './calls.js';
import { limitSentence } from './limit-draft.js';
import { Secret } from './secret.js';
import { isAlive } from './state.js';
import { UpdateToken } from './token-form.js';

interface Actions {
  /** Called after each change. */
  readonly changed: () => void;
  /** Called after a deletion. */
  readonly gone: () => void;
}

/** The actions on a token that the caller may take: safe ones first, and those that end it in the color of danger. */
export function actionsOn(token: Token, session: Session, { changed, gone }: Actions): readonly MenuItem[] {
  if (!mayManage(session, token)) return [];
  const name = escapeInvisible(token.name);
  const finished = (message: string, then = changed) => {
    announce(message);
    then();
  };
  const rotated = (issued: IssuedToken) => {
    const done = () => finished(t('done.rotated', { name }));
    openDialog((close) => <Secret close={close} title={t('secret.rotated')} token={issued} done={done} />);
  };
  const alive = isAlive(token);
  const item = (label: string, render: (close: Close) => ComponentChildren, danger = false): MenuItem => ({
    label,
    danger,
    run: () => openDialog(render),
  });
  return [
    item(t('token.update'), (close) => (
      <UpdateToken
        close={close}
        token={token}
        done={({ name: now }) => finished(t('done.updated', { name: escapeInvisible(now) }))}
      />
    )),
    ...(alive && mayRotate(session, token)
      ? [item(t('token.rotate'), (close) => <RotateToken close={close} token={token} done={rotated} />)]
      : []),
    ...(alive && (token.rate_limit !== null || token.quota !== null)
      ? [
          item(t('token.reset'), (close) => (
            <ResetLimits close={close} token={token} done={() => finished(t('done.reset', { name }))} />
          )),
        ]
      : []),
    ...(alive
      ? [
          item(
            t('token.revoke'),
            (close) => <RevokeToken close={close} token={token} done={() => finished(t('done.revoked', { name }))} />,
            true,
          ),
        ]
      : []),
    item(
      t('token.delete'),
      (close) => <DeleteToken close={close} token={token} done={() => finished(t('done.deleted', { name }), gone)} />,
      true,
    ),
  ];
}

type Grace = '' | '15m' | '1h' | '24h' | '7d';

interface ActionProps<Answer = unknown> {
  readonly close: Close;
  readonly token: Token;
  readonly done: (answer: Answer) => void;
}

/** Makes a new secret for the same token. The old one may work for a while longer. */
function RotateToken({ close, token, done }: ActionProps<IssuedToken>) {
  const graces: Options<Grace> = [
    ['', t('rotate.now')],
    ['15m', t('rotate.15m')],
    ['1h', t('rotate.1h')],
    ['24h', t('rotate.24h')],
    ['7d', t('rotate.7d')],
  ];
  return (
    <FormDialog
      title={t('rotate.title')}
      close={close}
      initial={{ grace: '1h' as Grace }}
      paths={{ grace: 'grace' }}
      keeps={false}
      submit={t('token.rotate')}
      busy={t('rotate.busy')}
      send={({ grace }) => rotateToken(token, grace)}
      done={done}
    >
      {({ values, errors, set }) => (
        <>
          <p>{tx('rotate.intro', { name: <Foreign text={token.name} /> })}</p>
          <OwnToken token={token} message={t('own.rotates')} />
          <SelectField
            label={t('rotate.old')}
            hint={t('rotate.oldHint')}
            options={graces}
            value={values.grace}
            error={errors.grace}
            onChange={(grace) => set('grace', grace)}
          />
        </>
      )}
    </FormDialog>
  );
}

function ResetLimits({ close, token, done }: ActionProps) {
  return (
    <FormDialog
      title={t('reset.title')}
      close={close}
      initial={{}}
      submit={t('token.reset')}
      busy={t('reset.busy')}
      send={() => resetLimits(token)}
      done={done}
    >
      {() => (
        <>
          <p>{tx('reset.intro', { name: <Foreign text={token.name} /> })}</p>
          <p>{limitSentence(token)}</p>
        </>
      )}
    </FormDialog>
  );
}

function RevokeToken({ close, token, done }: ActionProps) {
  return (
    <FormDialog
      title={t('revoke.title')}
      close={close}
      initial={{}}
      submit={t('token.revoke')}
      busy={t('revoke.busy')}
      danger
      send={() => revokeToken(token)}
      done={done}
    >
      {() => (
        <>
          <p>{tx('revoke.intro', { name: <Foreign text={token.name} /> })}</p>
          <p>{lastUse(token)}</p>
          <OwnToken token={token} message={t('own.ends')} />
        </>
      )}
    </FormDialog>
  );
}

function DeleteToken({ close, token, done }: ActionProps<void>) {
  return (
    <ConfirmByName
      title={t('delete.title')}
      name={token.name}
      close={close}
      submit={t('token.delete')}
      busy={t('delete.busy')}
      send={() => deleteToken(token)}
      done={done}
    >
      <p>{t('delete.intro')}</p>
      <p>{lastUse(token)}</p>
      <OwnToken token={token} message={t('own.ends')} />
    </ConfirmByName>
  );
}

interface RevokeManyProps {
  readonly close: Close;
  readonly tokens: readonly Token[];
  /** Called when the dialog is closed and some are revoked, even if others were not. */
  readonly revoked: () => void;
}

/** Revokes several, one after the other: the caller's own last, because it ends the session. */
export function RevokeMany({ close, tokens, revoked }: RevokeManyProps) {
  const { session } = usePage();
  const isOwn = ({ uid }: Token) => uid === session.token_id;
  const ordered = [...tokens].sort((a, b) => Number(isOwn(a)) - Number(isOwn(b)));
  const [left, setLeft] = useState<readonly Token[]>(ordered);
  const count = tokens.length;
  const isAnyRevoked = useRef(false);

  async function revokeAll(): Promise<void> {
    let remaining = left;
    for (const token of left) {
      try {
        await revokeToken(token);
      } catch (error) {
        setLeft(remaining);
        const values = { done: count - remaining.length, count, problem: sentence(error) };
        throw count === remaining.length ? error : new Unreachable(t('revoke.some', values));
      }
      isAnyRevoked.current = true;
      remaining = remaining.filter((each) => each !== token);
    }
    setLeft([]);
  }

  return (
    <FormDialog
      title={t('revoke.titleMany', { count })}
      close={() => {
        close();
        if (isAnyRevoked.current) revoked();
      }}
      initial={{}}
      submit={t('token.revoke')}
      busy={t('revoke.busy')}
      danger
      send={revokeAll}
      done={() => announce(t('done.revokedMany', { count }))}
    >
      {() => (
        <>
          <p>{t('revoke.introMany')}</p>
          <ul class="names">
            {left.map((token) => (
              <li key={token.uid}>
                <Foreign text={token.name} /> <span class="quiet">{lastUse(token)}</span>
              </li>
            ))}
          </ul>
          {left.filter(isOwn).map((token) => (
            <OwnToken key={token.uid} token={token} message={t('own.endsOne', { name: escapeInvisible(token.name) })} />
          ))}
        </>
      )}
    </FormDialog>
  );
}

/** Said before one ends the token that one is signed in with. */
function OwnToken({ token, message }: { readonly token: Token; readonly message: string }) {
  const { session } = usePage();
  return token.uid === session.token_id ? <Notice tone="danger">{message}</Notice> : null;
}

function lastUse({ last_used_at }: Token): string {
  return last_used_at === null ? t('use.none') : t('use.last', { relative: fromNow(new Date(last_used_at)) });
}
