import type { Decision } from '../domain/decision.js';
import { shared } from '../domain/shared.js';
import type { Gate } from '../instance/internals.js';
import type { Presented } from './credential.js';

/** A credential of a request, charged or about to be. */
interface Use extends Pick<Presented, 'token' | 'proof'> {
  readonly method: string | undefined;
  /** `null` once it is charged. */
  pending: Promise<Decision> | null;
}

type Answer = Decision | Promise<Decision>;

/** Asks whether a request may go on. It never rejects. */
type AskAs = (mode: 'use' | 'recheck') => Answer;

const USES = /* @__PURE__ */ shared('uses', () => new WeakMap<Gate, WeakMap<object, Use[]>>());

/** From a `Request` that an adapter made to the framework's own request. */
const ORIGINALS = /* @__PURE__ */ shared('originals', () => new WeakMap<object, object>());

export function setOriginal(request: object, original: object): void {
  ORIGINALS.set(request, original);
}

/**
 * Makes the function that charges and counts each request once, however many guards it passes: with the first decision that
 * allows it. Later guards check everything again except the limits and the proof, which are used up. Another credential on
 * the same request is charged by itself.
 */
export function oncePerRequest(gate: Gate) {
  let uses = USES.get(gate);
  if (uses === undefined) {
    uses = new WeakMap();
    USES.set(gate, uses);
  }
  const known = uses;

  /** @param request the object that all guards of this request share, and that no other request has */
  return function ask(request: object, use: Presented & { readonly method: string | undefined }, askAs: AskAs): Answer {
    if (use.token === null) return askAs('use');
    const original = ORIGINALS.get(request) ?? request;
    const uses = known.get(original) ?? [];
    const earlier = uses.find((each) => isSame(each, use));
    // Another guard of this request is asking. Its answer tells whether there is anything left to charge.
    if (earlier !== undefined) return earlier.pending?.then(() => ask(request, use, askAs)) ?? askAs('recheck');
    const { token, proof, method } = use;
    return charge(original, uses, { token, proof, method, pending: null }, askAs);
  };

  function charge(request: object, uses: Use[], use: Use, askAs: AskAs): Answer {
    const decision = askAs('use');
    if (!(decision instanceof Promise) && !isCharged(decision)) return decision;
    uses.push(use);
    known.set(request, uses);
    if (!(decision instanceof Promise)) return decision;
    use.pending = decision.then((settled) => {
      use.pending = null;
      if (!isCharged(settled)) uses.splice(uses.indexOf(use), 1);
      return settled;
    });
    return use.pending;
  }
}

function isCharged(decision: Decision): boolean {
  return decision.allowed && decision.principal !== null;
}

/** The same token with the same proof. A proof is bound to a method and a target. */
function isSame(one: Pick<Use, 'token' | 'proof' | 'method'>, other: Pick<Use, 'token' | 'proof' | 'method'>): boolean {
  if (one.token !== other.token) return false;
  if (!one.proof || !other.proof) return !one.proof && !other.proof;
  return one.proof.jwt === other.proof.jwt && one.proof.target === other.proof.target && one.method === other.method;
}
