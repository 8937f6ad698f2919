import type { Session } from '../../../wire/types.js';
import { t } from '../i18n.js';
import { Choice as Box } from '../parts/fields.js';
import { Hidden } from '../parts/text.js';
import { type Choice, includes, type ScopeType, scopesOf, wordsOf } from './grants.js';

interface ScopePickerProps {
  readonly type: ScopeType;
  readonly session: Session;
  readonly value: Choice;
  readonly onChange: (value: Choice) => void;
}

/** A group of boxes for each resource. The boxes of included actions are checked and locked. */
export function ScopePicker({ type, session, value, onChange }: ScopePickerProps) {
  const { all, chosen } = value;
  const holds = (scopes: readonly string[]) => scopes.every((scope) => session.grants.scopes.includes(scope));
  const everything = scopesOf(type);

  function box(scope: string, needs: readonly string[]) {
    const isChosen = chosen.includes(scope);
    const isIncluded = all || chosen.some((other) => includes(type, other, scope));
    return {
      checked: isChosen || isIncluded,
      off: isIncluded || (!isChosen && !holds(needs)),
      onChange: (on: boolean) =>
        onChange({ ...value, chosen: on ? [...chosen, scope] : chosen.filter((other) => other !== scope) }),
    };
  }

  return (
    <div class="scopes">
      <Box
        label={t('form.everyScope')}
        hint={t('form.everyScopeHint')}
        checked={all}
        off={!all && !holds(everything)}
        onChange={(on) => onChange({ ...value, all: on })}
      />
      {Object.entries(type.resources).map(([resource, actions]) => {
        const { label, description } = wordsOf(type, resource);
        const scopes = Object.keys(actions).map((action) => `${resource}:${action}`);
        return (
          <fieldset class="scopes-row" key={resource}>
            <legend class="scopes-name">
              <span class={label === null ? 'mono' : undefined}>{label ?? resource}</span>
              {description !== null && <span class="hint">{description}</span>}
            </legend>
            {scopes.map((scope) => (
              <Scope key={scope} type={type} scope={scope} {...box(scope, [scope])} />
            ))}
            <Box
              label={
                <>
                  <Hidden>{`${label ?? resource} `}</Hidden>
                  {t('form.every')}
                </>
              }
              {...box(`${resource}:*`, scopes)}
            />
          </fieldset>
        );
      })}
    </div>
  );
}

interface ScopeProps {
  readonly type: ScopeType;
  readonly scope: string;
  readonly checked: boolean;
  readonly off: boolean;
  readonly onChange: (on: boolean) => void;
}

function Scope({ type, scope, ...box }: ScopeProps) {
  const { label, description } = wordsOf(type, scope);
  const [resource, action] = scope.split(':');
  const bare = (
    <>
      <Hidden>{`${resource} `}</Hidden>
      {action}
    </>
  );
  return <Box label={label ?? bare} {...(description !== null && { hint: description })} {...box} />;
}
