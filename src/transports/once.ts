import type { Decision } from '../domain/decision.js';
import { shared } from '../domain/shared.js';
import type { Gate } from '../instance/internals.js';
import type { Presented } from './credential.js';

/** A credential that a request was charged for, as it was presented. */
interface Use extends Pick<Presented, 'token' | 'proof'> {
  readonly method: string | undefined;
  /** `null` once it is charged. */
  pending: Promise<Decision> | null;
}

type Answer = Decision | Promise<Decision>;

/** Asks whether a request may go on. It never rejects. */
type AskAs = (mode: 'use' | 'recheck') => Answer;

const USES = /* @__PURE__ */ shared('uses', () => new WeakMap<Gate, WeakMap<object, Use[]>>());

/** A `Request` that was made of a framework's own one, and that one. */
const ORIGINALS = /* @__PURE__ */ shared('originals', () => new WeakMap<object, object>());

export function setOriginal(request: object, original: object): void {
  ORIGINALS.set(request, original);
}

/**
 * Makes what asks an instance about requests so that each is charged and counted once, whatever number of guards it passes: with
 * the first decision that allows it. The guards after that one look at everything again, but for what is used up: the limits,
 * and the proof. That is so for the very credential that was charged; another one on the same request is a use of its own.
 */
export function oncePerRequest(gate: Gate) {
  let uses = USES.get(gate);
  if (uses === undefined) {
    uses = new WeakMap();
    USES.set(gate, uses);
  }
  const known = uses;

  /** @param request the object that every guard of this request sees, and no other request's */
  return function ask(request: object, use: Presented & { readonly method: string | undefined }, askAs: AskAs): Answer {
    if (use.token === null) return askAs('use');
    const original = ORIGINALS.get(request) ?? request;
    const uses = known.get(original) ?? [];
    const earlier = uses.find((each) => isSame(each, use));
    // Another guard of this request is asking: what it is told decides whether there is anything left to charge.
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

/** The same token, proven in the same way. A proof is one of a method and a target. */
function isSame(one: Pick<Use, 'token' | 'proof' | 'method'>, other: Pick<Use, 'token' | 'proof' | 'method'>): boolean {
  if (one.token !== other.token) return false;
  if (!one.proof || !other.proof) return !one.proof && !other.proof;
  return one.proof.jwt === other.proof.jwt && one.proof.target === other.proof.target && one.method === other.method;
}
