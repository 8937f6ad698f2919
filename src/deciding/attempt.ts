import type { SecretReference } from '../base/credential.js';
import type { Settings } from '../base/options.js';
import type { Zone } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import { type CompiledRequirement, compileRequirement, type Requirement } from '../domain/requirement.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Proof } from '../ports/authenticator.js';
import { Call, type Mode } from './call.js';

/** One call to be decided. */
export type Attempt<T extends TokenTypes = TokenTypes> = AttemptNeeding<Requirement<T>>;

/** One call to be decided: the credential that came, where the caller stands, and what the call needs. */
export interface AttemptNeeding<Needed> {
  /** The credential as it came, without its scheme. `undefined`, `null` or `''` when none came. */
  readonly token?: string | null | undefined;
  /** Default `'external'`. Anything but `'internal'` is external. */
  readonly zone?: Zone | undefined;
  /** What the call needs. Left out: the call is refused (`requirement_missing`). A frozen one is checked once, however often it is used. */
  readonly requirement?: Needed | null | undefined;
  /**
   * The HTTP method, or the full name of the gRPC method (`/bento.Summarizer/Summarize`). Left out: a token that is good for
   * some methods only is refused.
   */
  readonly method?: string | undefined;
  /** What came with the token where its scheme was `DPoP` (RFC 9449). Left out: it came as a plain bearer token. */
  readonly proof?: Proof | null | undefined;
}

/** An attempt as a guard makes it. */
export interface GuardAttempt extends Omit<AttemptNeeding<Requirement>, 'token'> {
  readonly token?: AttemptNeeding<Requirement>['token'] | SecretReference;
  /** In place of `token`: a credential came, but not one well-formed one. */
  readonly malformed?: boolean | undefined;
}

/** Reads attempts. A requirement that was prepared is not compiled again. */
export class AttemptReader {
  readonly #settings: Settings;
  /** Requirements that were checked once: frozen copies, so that nobody changes one after it was read. */
  readonly #prepared = new WeakMap<object, CompiledRequirement>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** @throws PosternError `requirement_invalid`, `scope_unknown` */
  prepare<R extends Requirement>(requirement: R): R {
    if (this.#prepared.has(requirement)) return requirement;
    const compiled = this.#compile(requirement);
    const getter = Object.entries(Object.getOwnPropertyDescriptors(requirement)).find(([, each]) => !isValue(each));
    if (getter !== undefined) {
      throw new PosternError('requirement_invalid', 'is a getter, read once: give a function of the request', {
        path: getter[0],
        input: 'requirement',
      });
    }
    const copy = { ...requirement } as { scope?: unknown };
    if (Array.isArray(copy.scope)) copy.scope = Object.freeze([...copy.scope]);
    this.#prepared.set(Object.freeze(copy), Object.freeze(compiled));
    return copy as R;
  }

  /** @throws PosternError `requirement_invalid`, `scope_unknown` */
  read(attempt: GuardAttempt, mode: Mode, within: string | null = null): Call {
    const { token, malformed, zone, requirement, method, proof } = ownFields(attempt);
    return new Call(
      mode,
      requirement === undefined || requirement === null
        ? null
        : (this.#prepared.get(requirement as object) ?? this.#compileOnce(requirement)),
      zone === 'internal' ? 'internal' : 'external',
      token,
      malformed === true,
      typeof method === 'string' ? method : null,
      proof ?? null,
      within,
    );
  }

  /** A frozen requirement stays what it is: it is compiled once. */
  #compileOnce(requirement: object): CompiledRequirement {
    const compiled = this.#compile(requirement);
    if (isFixed(requirement)) this.#prepared.set(requirement, Object.freeze(compiled));
    return compiled;
  }

  #compile(requirement: unknown): CompiledRequirement {
    const { catalog, organization } = this.#settings;
    return compileRequirement(requirement, catalog, organization);
  }
}

/** Whether a value can never be another: frozen all the way down, and nothing in it a getter. */
function isFixed(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(Object.getOwnPropertyDescriptors(value)).every(holdsFixed);
}

function holdsFixed(property: PropertyDescriptor): boolean {
  return isValue(property) && isFixed(property.value);
}

function isValue(property: PropertyDescriptor | undefined): boolean {
  return property !== undefined && 'value' in property;
}

/** What every object inherits: nothing of an attempt, as long as nobody has written to `Object.prototype`. */
const INHERITED: GuardAttempt = {};

/**
 * An attempt's own fields, not those that it inherits: `Object.prototype.zone = 'internal'` makes nobody internal. To ask
 * what everything inherits costs a tenth of asking whether each field is the attempt's own, so that is asked first.
 */
function ownFields(attempt: GuardAttempt): GuardAttempt {
  const { token, malformed, zone, requirement, method, proof } = INHERITED;
  const clean = (token ?? malformed ?? zone ?? requirement ?? method ?? proof) === undefined;
  return clean ? attempt : Object.assign(Object.create(null), attempt);
}
