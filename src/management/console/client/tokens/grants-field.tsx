import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { DeadGrants, Session, TokenType } from '../../../wire/types.js';
import { t } from '../i18n.js';
import { Choice as Box } from '../parts/fields.js';
import { EndpointPicker } from './endpoint-picker.js';
import { type Choice, choiceOf, type Draft, holdsAny, incompleteOf, inOrder, labelOf } from './grants.js';
import { ScopePicker } from './scope-picker.js';

interface GrantsFieldProps {
  readonly session: Session;
  readonly value: Draft;
  readonly dead?: DeadGrants;
  readonly error?: string | undefined;
  readonly onChange: (value: Draft) => void;
}

/** One switch for each token type, each with its choice below. At least one must be on. */
export function GrantsField({ session, value, dead = [], error, onChange }: GrantsFieldProps) {
  const [before] = useState(value);
  // Beside the control that mends it.
  const [wrong] = incompleteOf(value, session);
  const message = error !== undefined && (
    <p class="error" role="alert">
      {error}
    </p>
  );
  return (
    <fieldset class={error === undefined ? 'field types' : 'field types wrong'}>
      <legend>{t('form.rights')}</legend>
      {wrong === undefined && message}
      {inOrder(session).map((type) => (
        <TypeRow
          key={type.name}
          type={type}
          session={session}
          dead={dead}
          value={choiceOf(value, type)}
          before={choiceOf(before, type)}
          onChange={(choice) => onChange({ ...value, [type.name]: choice })}
        >
          {wrong === type && message}
        </TypeRow>
      ))}
    </fieldset>
  );
}

interface TypeRowProps {
  readonly type: TokenType;
  readonly session: Session;
  readonly dead: DeadGrants;
  readonly value: Choice;
  readonly before: Choice;
  readonly onChange: (value: Choice) => void;
  readonly children: ComponentChildren;
}

function TypeRow({ type, session, dead, value, before, onChange, children }: TypeRowProps) {
  const held = before.on || holdsAny(type, session);
  const shared = { session, value, onChange };
  return (
    <div class={value.on ? 'type on' : 'type'}>
      <Box
        type="switch"
        label={labelOf(type)}
        {...(type.description !== null && { hint: type.description })}
        checked={value.on}
        off={!held}
        onChange={(on) => onChange({ ...value, on })}
      />
      {!held && <p class="hint">{t('form.notHeld')}</p>}
      {value.on && (
        <div class="panel">
          {type.form === 'scope_access' ? (
            <ScopePicker type={type} {...shared} />
          ) : (
            <EndpointPicker type={type} dead={dead} hadAll={before.all} {...shared} />
          )}
          {children}
        </div>
      )}
    </div>
  );
}
