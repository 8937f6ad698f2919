import { decideGrant, decideLife, decideWithoutCredential, type Trace } from '../domain/decide.js';
import {
  type Authentication,
  type Decision,
  type DenialReason,
  type Denied,
  denied,
  internalError,
  unavailable,
} from '../domain/decision.js';
import type { EndpointPolicy, Zone } from '../domain/endpoint.js';
import { isUnavailable } from '../domain/errors.js';
import { type Explanation, remedyFor } from '../domain/explain.js';
import { type CompiledRequirement, compileRequirement, type Requirement } from '../domain/requirement.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Core } from './core.js';
import { type CredentialKeys, credentialReader } from './credential.js';
import { KnownToken } from './token-cache.js';
import { expiryOf, isRevoked, secretEndOf } from './token-reader.js';

/** One call to be decided. */
export type Attempt<T extends TokenTypes = TokenTypes> = AttemptNeeding<Requirement<T>>;

export interface AttemptNeeding<Needed> {
  /** The credential as it came, without its scheme. `undefined`, `null` or `''` when none came. */
  readonly token?: string | null | undefined;
  /** In place of `token`: a credential came, but not one well-formed one. */
  readonly malformed?: boolean | undefined;
  /** Default `'external'`. Anything but `'internal'` is external. */
  readonly zone?: Zone | undefined;
  /** What the call needs. Left out: the call is refused (`requirement_missing`). */
  readonly requirement?: Needed | null | undefined;
  /** In place of `requirement`: what went wrong when it was worked out. The call is refused (`internal_error`). */
  readonly fault?: unknown;
}

interface ReadAttempt {
  readonly token: unknown;
  readonly malformed: boolean;
  readonly zone: Zone;
  readonly requirement: CompiledRequirement | null;
}

/**
 * Answers attempts. `tryAuthorize` walks the warm path, where nothing has to be read and so nothing is awaited; what it
 * can't answer, `authorize` does. Both judge by the functions of `domain/decide`.
 */
export class Authorizer {
  readonly #core: Core;
  readonly #readCredential: (token: unknown) => ReturnType<ReturnType<typeof credentialReader>>;
  /** Requirements that were checked once: frozen copies, so that nobody changes one after it was read. */
  readonly #prepared = new WeakMap<object, CompiledRequirement>();
  readonly #loading = new Map<string, { readonly sequence: number; readonly token: Promise<KnownToken | null> }>();

  constructor(core: Core) {
    this.#core = core;
    this.#readCredential = credentialReader(core.settings);
  }

  /** @throws PosternError `requirement_invalid`, `scope_unknown` */
  prepare<R extends Requirement>(requirement: R): R {
    if (this.#prepared.has(requirement)) return requirement;
    const compiled = this.#compile(requirement);
    const copy = { ...requirement } as { scope?: unknown };
    if (Array.isArray(copy.scope)) copy.scope = Object.freeze([...copy.scope]);
    this.#prepared.set(Object.freeze(copy), Object.freeze(compiled));
    return copy as R;
  }

  tryAuthorize(attempt: Attempt): Decision | null {
    try {
      if (own(attempt, 'fault') !== undefined) return null;
      const decision = this.#tryDecide(this.#read(attempt), this.#core.time.read());
      if (decision !== null) this.#core.events.decision(decision, this.#core.time.latest);
      return decision;
    } catch {
      // Whatever it was, `authorize` meets it again, and has a way to say it.
      return null;
    }
  }

  /** @throws PosternError `requirement_invalid`, `scope_unknown`: the application's own mistakes */
  async authorize(attempt: Attempt, trace?: Trace): Promise<Decision> {
    const decision = await this.#answer(attempt, trace);
    this.#core.events.decision(decision, this.#core.time.latest);
    return decision;
  }

  async authenticate(token: unknown): Promise<Authentication> {
    const decision = await this.authorize({ token, requirement: { authenticated: true } } as Attempt);
    if (!decision.allowed) {
      return { ok: false, reason: decision.reason, ...(decision.cause && { cause: decision.cause }) };
    }
    return decision.principal === null
      ? { ok: false, reason: 'internal_error' }
      : { ok: true, principal: decision.principal };
  }

  async explain(attempt: Attempt): Promise<Explanation> {
    const steps: Trace = [];
    const decision = await this.#answer(attempt, steps);
    // The decision stands by itself: a store that fails only now takes away the advice, not the answer.
    const remedy = await this.#remedy(attempt, decision).catch(() => undefined);
    return { decision, steps, ...(remedy && { remedy }) };
  }

  async #answer(attempt: Attempt, trace?: Trace): Promise<Decision> {
    const fault = own(attempt, 'fault');
    if (fault !== undefined) return this.#fault(fault, trace);
    const read = this.#read(attempt);
    try {
      return await this.#decide(read, this.#core.time.read(), trace);
    } catch (error) {
      return this.#fault(error, trace);
    }
  }

  #fault(error: unknown, trace?: Trace): Denied {
    const down = isUnavailable(error);
    const decision = down ? unavailable('store', error) : internalError(error);
    const detail = down
      ? 'the store did not answer: nothing is known, so nothing is allowed'
      : 'something failed: nothing is allowed';
    trace?.push({ check: 'known', passed: false, detail });
    const { latest } = this.#core.time;
    this.#core.events.fault('decision', error, Number.isFinite(latest) ? latest : 0);
    return decision;
  }

  /** The decision where nothing has to be read for it. The mirror of {@link #decide}, with no waiting. */
  #tryDecide(attempt: ReadAttempt, now: number): Decision | null {
    const { requirement } = attempt;
    if (requirement === null) return denied('requirement_missing');
    const { cache, directory, time, usage } = this.#core;
    let endpoint: EndpointPolicy | null | undefined = null;
    if (requirement.kind === 'endpoint') {
      endpoint = directory.peek(requirement.organization, requirement.endpoint, now);
      if (endpoint === undefined) return null;
    }
    const early = decideWithoutCredential(requirement, endpoint, attempt.zone);
    if (early !== null) return early;
    const credential = attempt.malformed ? 'token_malformed' : this.#readCredential(attempt.token);
    if (typeof credential === 'string') return denied(credential);
    const token = cache.get(credential.key, now);
    if (token === undefined) return cache.isUnknown(credential.key, now) ? denied('token_unknown') : null;
    const ended = decideLife(token, time.latest);
    if (ended !== null) return denied(ended);
    usage.note(token, now);
    return decideGrant(token.principal, requirement, endpoint);
  }

  async #decide(attempt: ReadAttempt, startedAt: number, trace?: Trace): Promise<Decision> {
    const { requirement } = attempt;
    if (requirement === null) {
      trace?.push({ check: 'requirement', passed: false, detail: 'the route or method declares no requirement' });
      return denied('requirement_missing');
    }
    const { directory, time, usage } = this.#core;
    let now = startedAt;
    let endpoint: EndpointPolicy | null = null;
    if (requirement.kind === 'endpoint') {
      const { organization, endpoint: id } = requirement;
      const peeked = directory.peek(organization, id, now);
      endpoint = peeked === undefined ? await directory.find(organization, id, now) : peeked;
      // The store may have taken long: the age of a cached token is judged by the time it is now.
      if (peeked === undefined) now = time.read();
    }
    const early = decideWithoutCredential(requirement, endpoint, attempt.zone, trace);
    if (early !== null) return early;
    const credential = attempt.malformed ? 'token_malformed' : this.#readCredential(attempt.token);
    if (typeof credential === 'string') {
      if (trace) pushCredential(trace, credential);
      return denied(credential);
    }
    trace?.push({ check: 'credential', passed: true, detail: 'one well-formed credential' });
    const token = await this.#find(credential, now);
    trace?.push({
      check: 'known',
      passed: token !== null,
      detail: token === null ? 'no token has this secret' : `token ${token.principal.tokenId}`,
    });
    if (token === null) return denied('token_unknown');
    // The store took its time: what has ended meanwhile has ended.
    time.read();
    const ended = decideLife(token, time.latest, trace);
    if (ended !== null) return denied(ended);
    usage.note(token, now);
    return decideGrant(token.principal, requirement, endpoint, trace);
  }

  /** The token, from memory or from the store; many who ask for one at the same time share one read. */
  #find(credential: CredentialKeys, now: number): Promise<KnownToken | null> {
    const { cache, settings } = this.#core;
    const known = cache.get(credential.key, now);
    if (known !== undefined) return Promise.resolve(known);
    if (cache.isUnknown(credential.key, now)) return Promise.resolve(null);
    const loading = this.#loading.get(credential.key);
    // A read that began before the last invalidation may bring what it invalidated: it is no one's but who began it.
    if (loading !== undefined && loading.sequence === cache.sequence && settings.cache.ttl > 0) return loading.token;
    const { sequence } = cache;
    const token = this.#loadOrStale(credential, now, sequence).finally(() => {
      if (this.#loading.get(credential.key)?.token === token) this.#loading.delete(credential.key);
    });
    this.#loading.set(credential.key, { sequence, token });
    return token;
  }

  /** While the store is down: what was known before, where the application chose to go on with that. */
  async #loadOrStale(credential: CredentialKeys, now: number, sequence: number): Promise<KnownToken | null> {
    try {
      return await this.#load(credential, now, sequence);
    } catch (error) {
      const stale = isUnavailable(error) ? this.#core.cache.getStale(credential.key, now) : undefined;
      if (stale === undefined) throw error;
      return stale;
    }
  }

  async #load(credential: CredentialKeys, now: number, sequence: number): Promise<KnownToken | null> {
    const { cache, digester, reader, settings, store } = this.#core;
    const found = await store.findTokenByDigest(digester.candidates(credential.secret));
    if (found === null) {
      if (settings.cache.ttl > 0) cache.setUnknown(credential.key, now, sequence);
      return null;
    }
    const { token, secret } = found;
    const known = new KnownToken(
      reader.principal(token),
      isRevoked(token),
      secretEndOf(token, secret),
      expiryOf(token),
      now,
      sequence,
    );
    if (settings.cache.ttl > 0) cache.set(credential.key, known);
    return known;
  }

  async #remedy(attempt: Attempt, decision: Decision): Promise<Explanation['remedy']> {
    if (decision.allowed || (decision.reason !== 'scope_missing' && decision.reason !== 'endpoint_not_granted'))
      return undefined;
    const { requirement, token } = this.#read(attempt);
    const now = this.#core.time.read();
    const credential = this.#readCredential(token);
    if (requirement === null || typeof credential === 'string') return undefined;
    const known = await this.#find(credential, now);
    const endpoint =
      requirement.kind === 'endpoint'
        ? await this.#core.directory.find(requirement.organization, requirement.endpoint, now)
        : null;
    return remedyFor(decision, requirement, known?.principal ?? null, endpoint, this.#core.settings.catalog);
  }

  #read(attempt: Attempt): ReadAttempt {
    const requirement = own(attempt, 'requirement');
    return {
      token: own(attempt, 'token'),
      malformed: own(attempt, 'malformed') === true,
      zone: own(attempt, 'zone') === 'internal' ? 'internal' : 'external',
      requirement:
        requirement === undefined || requirement === null
          ? null
          : (this.#prepared.get(requirement as object) ?? this.#compile(requirement)),
    };
  }

  #compile(requirement: unknown): CompiledRequirement {
    const { catalog, organization } = this.#core.settings;
    return compileRequirement(requirement, catalog, organization);
  }
}

/** By own property only: `Object.prototype.zone = 'internal'` makes nobody internal. */
function own<K extends keyof Attempt>(attempt: Attempt, key: K): Attempt[K] {
  return Object.hasOwn(attempt, key) ? attempt[key] : undefined;
}

function pushCredential(trace: Trace, problem: DenialReason): void {
  const details: Partial<Record<DenialReason, string>> = {
    token_missing: 'no credential came with the call',
    token_malformed: 'several credentials came, or one that is no single token of at most 8 KiB',
    token_unknown: 'the credential has the form of no token of this instance, or a wrong checksum',
  };
  trace.push({ check: 'credential', passed: false, detail: details[problem] ?? problem });
}
