import type { SecretReference } from '../base/credential.js';
import type { Settings } from '../base/options.js';
import type { Zone } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import { type CompiledRequirement, compileRequirement, type Requirement } from '../domain/requirement.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Transport } from '../domain/transport.js';
import type { Proof } from '../ports/authenticator.js';
import { Call, type Mode } from './call.js';

/** One call to be decided. */
export type Attempt<T extends TokenTypes = TokenTypes> = AttemptNeeding<Requirement<T>>;

/** One call to be decided: its credential, the caller's zone, and the requirement. */
export interface AttemptNeeding<Needed> {
  /** The credential as it came, without its scheme. `undefined`, `null` or `''` if none came. */
  readonly token?: string | null | undefined;
  /** Default `'external'`. Any value other than `'internal'` is external. */
  readonly zone?: Zone | undefined;
  /** The call's requirement. Left out: the call is refused (`requirement_missing`). A frozen object is checked only once. */
  readonly requirement?: Needed | null | undefined;
  /**
   * The HTTP method, or the full name of the gRPC method (`/bento.Summarizer/Summarize`). Left out: a token that is limited to
   * some methods is refused.
   */
  readonly method?: string | undefined;
  /** The proof that came with a token of the scheme `DPoP` (RFC 9449). Left out: the token came as a plain bearer token. */
  readonly proof?: Proof | null | undefined;
}

/** An attempt as a guard makes it. */
export interface GuardAttempt extends Omit<AttemptNeeding<Requirement>, 'token'> {
  readonly token?: AttemptNeeding<Requirement>['token'] | SecretReference;
  /** In place of `token`: the call has a malformed credential, or several. */
  readonly malformed?: boolean | undefined;
  /** The transport of the guard. */
  readonly transport?: Transport | undefined;
}

/** Reads attempts. Prepared requirements are not compiled again. */
export class AttemptReader {
  readonly #settings: Settings;
  /** Requirements that were already checked. They are frozen, so that nobody can change them afterwards. */
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
    const { token, malformed, zone, requirement, method, proof, transport } = ownFields(attempt);
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
      transport ?? null,
    );
  }

  /** Keeps the result for a frozen requirement, because that can't change. */
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

/** Whether a value can never change: it is frozen at every level, and has no getter. */
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

/** Shows the fields that every object inherits: none, unless `Object.prototype` is polluted. */
const INHERITED: GuardAttempt = {};

/**
 * An attempt with its own fields only: `Object.prototype.zone = 'internal'` makes nobody internal. The test for a polluted
 * prototype comes first, because it costs a tenth of testing each field.
 */
function ownFields(attempt: GuardAttempt): GuardAttempt {
  const { token, malformed, zone, requirement, method, proof, transport } = INHERITED;
  const clean = (token ?? malformed ?? zone ?? requirement ?? method ?? proof ?? transport) === undefined;
  return clean ? attempt : Object.assign(Object.create(null), attempt);
}
