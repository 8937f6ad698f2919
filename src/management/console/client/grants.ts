import type { DeadGrants, Grants, Session, TokenType } from '../../wire/types.js';
import { h } from './dom.js';
import { endpointPicker } from './endpoint-picker.js';
import { switchInput } from './fields.js';
import type { Field } from './form.js';
import { scopePicker } from './scope-picker.js';
import { titled } from './words.js';

/** One switch for each token type, each with its choice below. At least one must be on. */
export function grantsField(session: Session, initial: Grants = {}, dead: DeadGrants = []): Field<Grants> {
  // Types with scopes come first: they are the more serious choice.
  const types = [...session.types].sort(
    (a, b) => Number(b.form === 'scope_access') - Number(a.form === 'scope_access'),
  );
  const rows = types.map((type) => typeRow(type, session, initial, dead));
  const error = h('p', { class: 'error', role: 'alert' });
  const legend = h('legend', {}, 'Rights of the token');
  const element = h(
    'fieldset',
    { class: 'field types' },
    legend,
    error,
    rows.map((row) => row.element),
  );
  const on = () => rows.filter(({ isOn }) => isOn());
  const incomplete = () => on().find(({ picker }) => picker.grant() === null);
  return {
    element,
    paths: ['types', 'scopes'],
    value: () => Object.fromEntries(on().map(({ name, picker }) => [name, picker.grant() ?? { scopes: [] }])),
    check() {
      if (on().length === 0) return `Switch on at least one: ${rows.map(({ label }) => label).join(' or ')}.`;
      return incomplete()?.picker.missing ?? null;
    },
    show(message) {
      error.textContent = message ?? '';
      // Beside the control that mends it.
      const panel = message === null ? undefined : incomplete()?.panel;
      if (panel) panel.append(error);
      else legend.after(error);
      if (message !== null) error.scrollIntoView({ block: 'nearest' });
      element.classList.toggle('wrong', message !== null);
    },
    focus() {
      const row = incomplete();
      if (row) row.picker.focus();
      else rows.find(({ input }) => !input.disabled)?.input.focus();
    },
  };
}

function typeRow(type: TokenType, session: Session, initial: Grants, dead: DeadGrants) {
  const given = Object.hasOwn(initial, type.name) ? initial[type.name] : undefined;
  const picker =
    type.form === 'scope_access'
      ? scopePicker(type, session, given)
      : endpointPicker(session, given, deadOf(type.name, dead));
  const { label, hint } = wordsOf(type);
  const panel = h('div', { class: 'panel', hidden: given === undefined }, picker.element);
  const { element: toggle, input } = switchInput(label, hint, given !== undefined, (on) => {
    panel.hidden = !on;
  });
  const held = given !== undefined || holdsAny(type, session);
  input.disabled = !held;
  const refusal = held ? null : h('p', { class: 'hint' }, 'You hold no rights of this kind, so you can’t grant them.');
  return {
    name: type.name,
    label,
    input,
    picker,
    panel,
    isOn: () => input.checked,
    element: h('div', { class: 'type' }, toggle, refusal, panel),
  };
}

function holdsAny(type: TokenType, { grants }: Session): boolean {
  if (type.form === 'endpoint_access') return grants.endpoints === '*' || grants.endpoints.length > 0;
  return Object.entries(type.resources).some(([resource, actions]) =>
    Object.keys(actions).some((action) => grants.scopes.includes(`${resource}:${action}`)),
  );
}

/** BentoCloud's words for its two types. An application's own types are shown by their names. */
function wordsOf(type: TokenType): { readonly label: string; readonly hint: string } {
  const scopes = type.form === 'scope_access';
  const hint = scopes ? 'Manages resources through the API.' : 'Calls deployments whose endpoint is protected.';
  if (type.name === 'developer' && scopes) return { label: 'Developer Operations Access', hint };
  if (type.name === 'user' && !scopes) return { label: 'Protected Endpoint Access', hint };
  return { label: `${titled(type.name)} Access`, hint };
}

/** Grants in words: one line for each type. */
export function grantLines(grants: Grants, dead: DeadGrants = []): { readonly type: string; readonly words: string }[] {
  return Object.entries(grants).map(([type, grant]) => {
    return { type: `${titled(type)} access`, words: grantWords(grant, deadOf(type, dead)) };
  });
}

function deadOf(type: string, dead: DeadGrants): readonly string[] {
  return dead.filter((each) => each.type === type).map(({ endpoint }) => endpoint);
}

function grantWords(grant: Grants[string], dead: readonly string[]): string {
  if ('endpoints' in grant) {
    if (grant.endpoints === '*') return 'every protected endpoint, also those made later';
    if (grant.endpoints.length === 0) return 'no endpoint any more';
    return grant.endpoints.map((id) => (dead.includes(id) ? `${id} (deleted)` : id)).join(', ');
  }
  return grant.scopes.includes('*') ? 'every scope' : grant.scopes.join(', ');
}
