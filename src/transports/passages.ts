import type { Decision } from '../domain/decision.js';
import type { Principal } from '../domain/principal.js';
import { shared } from '../domain/shared.js';
import type { GuardAttempt, Holding } from '../instance/internals.js';
import type { Presented } from './credential.js';

/** An attempt as a guard makes it of a request. */
export type RequestAttempt = GuardAttempt & Presented;

/** An attempt of a request that was allowed, or is being decided. */
export interface Passage {
  readonly holding: Holding;
  readonly attempt: RequestAttempt;
  /** Whether the credential was charged for it. */
  charged: boolean;
  /** The caller, once it is decided; `null` if no credential was needed. */
  principal: Principal | null;
  /** `null` once it is decided. */
  pending: Promise<Decision> | null;
}

/** The passages of requests, one for each guard. Data can't forge them, and a copy of a request has none. */
interface Passages {
  of(request: object): Passage[] | undefined;
  /** In a private field of the request. It takes a tenth of the time of a `WeakMap`. */
  keepIn(request: object, passages: Passage[]): void;
  /** In a `WeakMap`. V8 gives each request of Express a hidden class of its own, and then a new field takes as long as a decision. */
  keepBeside(request: object, passages: Passage[]): void;
}

export const PASSAGES: Passages = /* @__PURE__ */ shared('passages', () => {
  const beside = new WeakMap<object, Passage[]>();
  /** Makes the field of a subclass one of the given object. */
  class Given {
    constructor(given: object) {
      // biome-ignore lint/correctness/noConstructorReturn: the only way to give a private field to an object that is there already
      return given;
    }
  }
  class Carrier extends Given {
    readonly #passages: Passage[];
    constructor(request: object, passages: Passage[]) {
      super(request);
      this.#passages = passages;
    }
    static passagesOf(request: object): Passage[] | undefined {
      return #passages in request ? request.#passages : undefined;
    }
  }
  return {
    of: (request: object) => Carrier.passagesOf(request) ?? beside.get(request),
    keepIn(request: object, passages: Passage[]) {
      new Carrier(request, passages);
    },
    keepBeside(request: object, passages: Passage[]) {
      beside.set(request, passages);
    },
  };
});
