import type { DeadGrants, Grants, Session, TokenType } from '../../../wire/types.js';
import { t } from '../i18n.js';
import { eitherOf, inRow, listed, titled } from '../words.js';

export type ScopeType = Extract<TokenType, { form: 'scope_access' }>;
export type EndpointType = Extract<TokenType, { form: 'endpoint_access' }>;

/** What a person has chosen for one token type. */
export interface Choice {
  readonly on: boolean;
  /** Every scope, or every endpoint. */
  readonly all: boolean;
  /** Scopes, or ids of endpoints. */
  readonly chosen: readonly string[];
}

/** By token type. */
export type Draft = Readonly<Record<string, Choice>>;

const NOTHING: Choice = { on: false, all: false, chosen: [] };

/** @param dead grants of deleted endpoints. They are not chosen, because another endpoint may have the name now */
export function draftOf(session: Session, grants: Grants = {}, dead: DeadGrants = []): Draft {
  const choice = ({ name }: TokenType): Choice => {
    const grant = Object.hasOwn(grants, name) ? grants[name] : undefined;
    if (grant === undefined) return NOTHING;
    if ('scopes' in grant) {
      return { on: true, all: grant.scopes.includes('*'), chosen: grant.scopes.filter((scope) => scope !== '*') };
    }
    const all = grant.endpoints === '*';
    return { on: true, all, chosen: grant.endpoints === '*' ? [] : without(grant.endpoints, deadOf(name, dead)) };
  };
  return Object.fromEntries(session.types.map((type) => [type.name, choice(type)]));
}

export function choiceOf(draft: Draft, { name }: TokenType): Choice {
  return (Object.hasOwn(draft, name) ? draft[name] : undefined) ?? NOTHING;
}

/** The grants of a draft, in the fewest scopes. */
export function grantsOf(draft: Draft, { types }: Session): Grants {
  const on = types.filter((type) => choiceOf(draft, type).on);
  return Object.fromEntries(on.map((type) => [type.name, grantOf(type, choiceOf(draft, type))]));
}

function grantOf(type: TokenType, { all, chosen }: Choice): Grants[string] {
  if (type.form === 'endpoint_access') return { endpoints: all ? '*' : [...chosen].sort() };
  if (all) return { scopes: ['*'] };
  return { scopes: chosen.filter((scope) => !chosen.some((other) => other !== scope && includes(type, other, scope))) };
}

/** The token types that are switched on with nothing chosen. */
export function incompleteOf(draft: Draft, session: Session): readonly TokenType[] {
  return inOrder(session).filter((type) => {
    const { on, all, chosen } = choiceOf(draft, type);
    return on && !all && chosen.length === 0;
  });
}

/** The error of a draft as a sentence. */
export function errorOf(draft: Draft, session: Session): string | undefined {
  if (!session.types.some((type) => choiceOf(draft, type).on)) {
    return t('form.rightsMissing', { types: eitherOf(inOrder(session).map(labelOf)) });
  }
  const [incomplete] = incompleteOf(draft, session);
  if (incomplete === undefined) return undefined;
  return t(incomplete.form === 'scope_access' ? 'form.scopeMissing' : 'form.endpointMissing');
}

/** Types with scopes come first: they are the more serious choice. */
export function inOrder({ types }: Session): readonly TokenType[] {
  return [...types].sort((a, b) => Number(b.form === 'scope_access') - Number(a.form === 'scope_access'));
}

/** Whether one scope includes another, directly or through others. */
export function includes(type: ScopeType, from: string, to: string): boolean {
  const [resource = '', action = ''] = from.split(':');
  const [otherResource, otherAction = ''] = to.split(':');
  if (resource !== otherResource) return false;
  if (action === '*') return otherAction !== '*';
  const actions = type.resources[resource] ?? {};
  const seen = new Set<string>();
  const waiting = [action];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...(actions[next] ?? []));
  }
  return otherAction !== action && seen.has(otherAction);
}

/** Whether the caller holds anything of a type. What one does not hold, one can't grant. */
export function holdsAny(type: TokenType, { grants }: Session): boolean {
  if (type.form === 'endpoint_access') return grants.endpoints === '*' || grants.endpoints.length > 0;
  return scopesOf(type).some((scope) => grants.scopes.includes(scope));
}

export function scopesOf({ resources }: ScopeType): readonly string[] {
  return Object.entries(resources).flatMap(([resource, actions]) =>
    Object.keys(actions).map((action) => `${resource}:${action}`),
  );
}

/** The application's label, or the name. */
export function labelOf({ name, label }: TokenType): string {
  return label ?? titled(name);
}

/** The application's words for a resource or a scope. */
export function wordsOf(
  { words }: ScopeType,
  name: string,
): { readonly label: string | null; readonly description: string | null } {
  return (Object.hasOwn(words, name) ? words[name] : undefined) ?? { label: null, description: null };
}

export function deadOf(type: string, dead: DeadGrants): readonly string[] {
  return dead.filter((each) => each.type === type).map(({ endpoint }) => endpoint);
}

/** Grants in words, a line for each type. */
export function grantLines(session: Session, grants: Grants, dead: DeadGrants = []) {
  return Object.entries(grants).map(([name, grant]) => {
    const type = session.types.find((each) => each.name === name);
    return {
      name,
      label: type === undefined ? titled(name) : labelOf(type),
      words: listed(partsOf(type, grant, deadOf(name, dead))),
    };
  });
}

/** Each granted thing, in words. */
export function partsOf(type: TokenType | undefined, grant: Grants[string], dead: readonly string[] = []): string[] {
  if ('endpoints' in grant) {
    if (grant.endpoints === '*') return [everyEndpoint(type)];
    if (grant.endpoints.length === 0) return [t('grants.noEndpoint')];
    return grant.endpoints.map((id) => (dead.includes(id) ? t('grants.deleted', { name: id }) : id));
  }
  if (grant.scopes.includes('*')) return [t('grants.everyScope')];
  return grant.scopes.map((scope) => scopeLabel(type, scope));
}

export function scopeLabel(type: TokenType | undefined, scope: string): string {
  const [resource = scope, action] = scope.split(':');
  if (type?.form !== 'scope_access') return scope;
  if (action === '*') return t('grants.everyOf', { resource: wordsOf(type, resource).label ?? resource });
  return wordsOf(type, scope).label ?? scope;
}

function everyEndpoint(type: TokenType | undefined): string {
  const noun = type?.form === 'endpoint_access' ? type.noun : null;
  return noun === null ? t('grants.everyEndpoint') : t('grants.everyEndpointOf', { noun });
}

/** `models:read, 2 endpoints`: for a cell of a list. */
export function summaryOf(session: Session, grants: Grants): string {
  const parts = Object.entries(grants).flatMap(([name, grant]) => {
    const type = session.types.find((each) => each.name === name);
    if ('endpoints' in grant && grant.endpoints !== '*' && grant.endpoints.length > 1) {
      return [t('grants.endpoints', { count: grant.endpoints.length })];
    }
    const found = partsOf(type, grant);
    return found.length <= 3 ? found : [...found.slice(0, 2), t('grants.more', { count: found.length - 2 })];
  });
  return parts.join(', ');
}

/** `This token can call summarizer and use models:read.` */
export function sentenceOf(session: Session, grants: Grants): string {
  const things = Object.entries(grants).flatMap(([name, grant]) => {
    const type = session.types.find((each) => each.name === name);
    const parts = 'endpoints' in grant && grant.endpoints.length === 0 ? [] : partsOf(type, grant);
    if (parts.length === 0) return [];
    return ['endpoints' in grant ? t('can.call', { endpoints: inRow(parts) }) : t('can.use', { scopes: inRow(parts) })];
  });
  return things.length === 0 ? t('can.nothing') : t('can.sentence', { things: listed(things) });
}

function without(items: readonly string[], others: readonly string[]): readonly string[] {
  return items.filter((item) => !others.includes(item));
}
