import type { Grants, Session, TokenType } from '../../wire/types.js';
import { h } from './dom.js';
import { choice } from './fields.js';
import type { Picker } from './picker.js';

type ScopeType = Extract<TokenType, { form: 'scope_access' }>;

interface Box {
  readonly scope: string;
  readonly resource: string;
  readonly action: string;
  readonly input: HTMLInputElement;
  /** Whether the person chose it. The box is also checked if another choice includes it. */
  chosen: boolean;
}

/** A row of boxes for each resource. The boxes of included actions are checked and locked. */
export function scopePicker(type: ScopeType, session: Session, given: Grants[string] | undefined): Picker {
  const before = given !== undefined && 'scopes' in given ? given.scopes : [];
  const held = (scope: string) => session.grants.scopes.includes(scope);
  const everything = Object.entries(type.resources).flatMap(([resource, actions]) =>
    Object.keys(actions).map((action) => `${resource}:${action}`),
  );
  const all = h('input', { type: 'checkbox', checked: before.includes('*'), on: { change: () => update() } });
  all.disabled = !all.checked && !everything.every(held);

  const boxes: Box[] = [];
  const rows = Object.entries(type.resources).map(([resource, actions]) => {
    const inputs = Object.keys(actions).map((action) => {
      const scope = `${resource}:${action}`;
      const chosen = before.includes(scope) || before.includes(`${resource}:*`);
      const input = h('input', { type: 'checkbox', on: { change: () => choose(box) } });
      const box: Box = { scope, resource, action, input, chosen };
      boxes.push(box);
      return h('label', {}, input, h('span', { class: 'hidden' }, `${resource} `), h('span', {}, action));
    });
    return h('div', { class: 'scopes-row' }, h('span', { class: 'scopes-name mono' }, resource), inputs);
  });

  function choose(box: Box): void {
    box.chosen = box.input.checked;
    update();
  }

  function includedBy(box: Box): boolean {
    return all.checked || boxes.some((other) => other !== box && other.chosen && reaches(type, other, box));
  }

  function update(): void {
    for (const box of boxes) {
      const included = includedBy(box);
      box.input.checked = box.chosen || included;
      box.input.disabled = included || (!box.chosen && !held(box.scope));
    }
  }

  update();
  return {
    element: h('div', { class: 'scopes' }, choice(all, 'Every scope', 'Also those that are added later.'), rows),
    missing: 'Choose at least one scope, or switch this access off.',
    grant() {
      if (all.checked) return { scopes: ['*'] };
      const scopes = boxes.filter((box) => box.chosen && !includedBy(box)).map(({ scope }) => scope);
      return scopes.length === 0 ? null : { scopes };
    },
    focus: () => [all, ...boxes.map(({ input }) => input)].find(({ disabled }) => !disabled)?.focus(),
  };
}

/** Whether one action includes another of the same resource, directly or through others. */
function reaches(type: ScopeType, from: Box, to: Box): boolean {
  if (from.resource !== to.resource) return false;
  const actions = type.resources[from.resource] ?? {};
  const seen = new Set<string>();
  const waiting = [from.action];
  for (let action = waiting.pop(); action !== undefined; action = waiting.pop()) {
    if (seen.has(action)) continue;
    seen.add(action);
    waiting.push(...(actions[action] ?? []));
  }
  return to.action !== from.action && seen.has(to.action);
}
