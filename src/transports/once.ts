import type { Decision } from '../domain/decision.js';
import type { Principal } from '../domain/principal.js';
import { shared } from '../domain/shared.js';
import type { Gate, Holding } from '../instance/internals.js';
import { PASSAGES, type Passage, type PassageKeeper, type RequestAttempt } from './passages.js';

type Answer = Decision | Promise<Decision>;

/** Asks whether a request may go on. It never rejects. */
type AskAs = (mode: 'use' | 'recheck') => Answer;

/** From a `Request` that an adapter made to the framework's own request. */
const ORIGINALS = /* @__PURE__ */ shared('originals', () => new WeakMap<object, object>());

export function setOriginal(request: object, original: object): void {
  ORIGINALS.set(request, original);
}

/** Every attempt that let this request through, one for each guard. */
export function passagesOf(request: object): readonly Pick<Passage, 'holding' | 'attempt' | 'principal'>[] {
  const passages = PASSAGES.of(originalOf(request)) ?? [];
  return passages.filter(({ pending }) => pending === null);
}

/** The caller of the last attempt that let this request through; `undefined` if none did. */
export function principalOf(request: object): Principal | null | undefined {
  return passagesOf(request).at(-1)?.principal;
}

/**
 * Makes the function that charges and counts each request once, however many guards it passes: with the first decision that
 * allows it. Later guards check everything again except the limits and the proof, which are used up. Another credential on
 * the same request is charged by itself.
 */
export function oncePerRequest(gate: Gate, holding: Holding, keeper: PassageKeeper) {
  /** @param request the object that all guards of this request share, and that no other request has */
  return function ask(request: object, attempt: RequestAttempt, askAs: AskAs): Answer {
    const original = originalOf(request);
    const known = PASSAGES.of(original);
    const earlier =
      attempt.token === null
        ? undefined
        : known?.find((each) => each.holding === holding && isUse(each) && isSame(each.attempt, attempt));
    // Another guard of this request is asking. Its answer tells whether there is anything left to charge.
    if (earlier?.pending) return earlier.pending.then(() => ask(request, attempt, askAs));
    const decision = askAs(earlier === undefined ? 'use' : 'recheck');
    const isPending = decision instanceof Promise;
    if (!isPending && !decision.allowed) return decision;
    const kept = withPrepared(gate, attempt);
    const passages = known ?? [];
    // The messages of a socket all come with its handshake.
    const isRepeated = () => passages.some((each) => each.holding === holding && isKnown(each, kept));
    const isFree = !isPending && decision.principal === null;
    if ((earlier || isFree) && isRepeated()) return decision;
    const passage: Passage = { holding, attempt: kept, charged: false, principal: null, pending: null };
    passages.push(passage);
    if (known === undefined) keeper.set(original, passages);
    if (!isPending) {
      settle(passage, decision.principal);
      return decision;
    }
    passage.pending = decision.then((settled) => {
      if (settled.allowed && (settled.principal !== null || !isRepeated())) settle(passage, settled.principal);
      else passages.splice(passages.indexOf(passage), 1);
      passage.pending = null;
      return settled;
    });
    return passage.pending;
  };
}

/** What a function computed is the application's to change; a lease asks again what was asked. */
function withPrepared(gate: Gate, attempt: RequestAttempt): RequestAttempt {
  const { requirement } = attempt;
  const prepared = requirement ? gate.prepare(requirement) : requirement;
  return prepared === requirement ? attempt : { ...attempt, requirement: prepared };
}

function settle(passage: Passage, principal: Principal | null): void {
  passage.principal = principal;
  passage.charged = principal !== null;
}

function originalOf(request: object): object {
  return ORIGINALS.get(request) ?? request;
}

function isUse({ charged, pending }: Passage): boolean {
  return charged || pending !== null;
}

/** The same token with the same proof. A proof is bound to a method and a target. */
function isSame(one: RequestAttempt, other: RequestAttempt): boolean {
  if (one.token !== other.token) return false;
  if (!one.proof || !other.proof) return !one.proof && !other.proof;
  return one.proof.jwt === other.proof.jwt && one.proof.target === other.proof.target && one.method === other.method;
}

/** Whether the same credential was let through for the same question. */
function isKnown({ attempt, pending }: Passage, again: RequestAttempt): boolean {
  return pending === null && isSame(attempt, again) && isSameQuestion(attempt, again);
}

/** Whether two attempts of one credential ask the same. Requirements that are computed are never the same object. */
export function isSameQuestion(one: RequestAttempt, other: RequestAttempt): boolean {
  return one.method === other.method && one.zone === other.zone && isEqual(one.requirement, other.requirement);
}

function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length && keys.every((key) => isEqual(ownValue(one, key), ownValue(other, key)))
  );
}

function ownValue(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
}
