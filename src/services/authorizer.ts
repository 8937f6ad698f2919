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
import { isPosternError, isUnavailable } from '../domain/errors.js';
import { type Explanation, remedyFor } from '../domain/explain.js';
import { NO_LIMITS } from '../domain/limits.js';
import type { VerifiedPrincipal } from '../domain/principal.js';
import { type CompiledRequirement, compileRequirement, type Requirement } from '../domain/requirement.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Core } from './core.js';
import { credentialReader } from './credential.js';
import { Limiter } from './limiter.js';
import { TokenFinder } from './token-finder.js';

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
  /** Asked again about a call that goes on: it is not counted a second time. */
  readonly recheck?: boolean | undefined;
  /** In place of `requirement`: what went wrong when it was worked out. The call is refused (`internal_error`). */
  readonly fault?: unknown;
}

interface ReadAttempt {
  readonly token: unknown;
  readonly malformed: boolean;
  readonly zone: Zone;
  readonly recheck: boolean;
  readonly requirement: CompiledRequirement | null;
}

/** What goes with one call through the checks. */
interface Call {
  /** Whether it is a use: of a token that has limits, one that is charged. */
  readonly counted: boolean;
  /** Whose credential it is, once that is known. */
  holder: VerifiedPrincipal | null;
  readonly trace?: Trace;
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
  readonly #finder: TokenFinder;
  readonly #limiter: Limiter;

  constructor(core: Core) {
    this.#core = core;
    this.#readCredential = credentialReader(core.settings);
    this.#finder = new TokenFinder(core);
    this.#limiter = new Limiter(core);
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
      const fields = ownFields(attempt);
      if (fields.fault !== undefined) return null;
      const call: Call = { counted: true, holder: null };
      const decision = this.#tryDecide(this.#read(fields), this.#core.time.read(), call);
      if (decision !== null) this.#core.events.decision(decision, call.holder, this.#core.time.latest);
      return decision;
    } catch {
      // Whatever it was, `authorize` meets it again, and has a way to say it.
      return null;
    }
  }

  /** @throws PosternError `requirement_invalid`, `scope_unknown`: the application's own mistakes */
  authorize(attempt: Attempt): Promise<Decision> {
    // A promise that is there already costs a third of what an async function's costs.
    const decision = this.tryAuthorize(attempt);
    return decision === null ? this.#authorizeCold(attempt) : Promise.resolve(decision);
  }

  async #authorizeCold(attempt: Attempt): Promise<Decision> {
    const call: Call = { counted: true, holder: null };
    const decision = await this.#answer(attempt, call);
    this.#core.events.decision(decision, call.holder, this.#core.time.latest);
    return decision;
  }

  async authenticate(token: unknown): Promise<Authentication> {
    const decision = await this.#answer({ token, requirement: { authenticated: true } } as Attempt, {
      counted: false,
      holder: null,
    });
    if (!decision.allowed) {
      return { ok: false, reason: decision.reason, ...(decision.cause && { cause: decision.cause }) };
    }
    return decision.principal === null
      ? { ok: false, reason: 'internal_error' }
      : { ok: true, principal: decision.principal };
  }

  async explain(attempt: Attempt): Promise<Explanation> {
    const steps: Trace = [];
    const decision = await this.#answer(attempt, { counted: false, holder: null, trace: steps });
    // The decision stands by itself: a store that fails only now takes away the advice, not the answer.
    const remedy = await this.#remedy(attempt, decision).catch(() => undefined);
    return { decision, steps, ...(remedy && { remedy }) };
  }

  async #answer(attempt: Attempt, call: Call): Promise<Decision> {
    try {
      const fields = ownFields(attempt);
      if (fields.fault !== undefined) return this.#fault(fields.fault, call.trace);
      return await this.#decide(this.#read(fields), this.#core.time.read(), call);
    } catch (error) {
      // The application's own mistake, which no call can mend: it must hear of it.
      if (isPosternError(error) && MISTAKES.includes(error.code)) throw error;
      return this.#fault(error, call.trace);
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
  #tryDecide(attempt: ReadAttempt, now: number, call: Call): Decision | null {
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
    call.holder = token.principal;
    const ended = decideLife(token, time.latest);
    if (ended !== null) return denied(ended);
    const decision = decideGrant(token.principal, requirement, endpoint);
    if (!decision.allowed || attempt.recheck) return decision;
    // What has limits is counted somewhere that has to be waited for.
    if (token.limits !== NO_LIMITS) return null;
    usage.note(token, endpoint?.id ?? '', now);
    return decision;
  }

  async #decide(attempt: ReadAttempt, startedAt: number, call: Call): Promise<Decision> {
    const { requirement } = attempt;
    const { trace } = call;
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
    const token = await this.#finder.find(credential, now);
    trace?.push({
      check: 'known',
      passed: token !== null,
      detail: token === null ? 'no token has this secret' : `token ${token.principal.tokenId}`,
    });
    if (token === null) return denied('token_unknown');
    call.holder = token.principal;
    // The store took its time: what has ended meanwhile has ended.
    time.read();
    const ended = decideLife(token, time.latest, trace);
    if (ended !== null) return denied(ended);
    const decision = decideGrant(token.principal, requirement, endpoint, trace);
    if (!decision.allowed || attempt.recheck || !call.counted) return decision;
    usage.note(token, endpoint?.id ?? '', now);
    return token.limits === NO_LIMITS ? decision : this.#limiter.charge(token, decision);
  }

  async #remedy(attempt: Attempt, decision: Decision): Promise<Explanation['remedy']> {
    if (decision.allowed || (decision.reason !== 'scope_missing' && decision.reason !== 'endpoint_not_granted'))
      return undefined;
    const { requirement, token } = this.#read(ownFields(attempt));
    const now = this.#core.time.read();
    const credential = this.#readCredential(token);
    if (requirement === null || typeof credential === 'string') return undefined;
    const known = await this.#finder.find(credential, now);
    const endpoint =
      requirement.kind === 'endpoint'
        ? await this.#core.directory.find(requirement.organization, requirement.endpoint, now)
        : null;
    return remedyFor(decision, requirement, known?.principal ?? null, endpoint, this.#core.settings.catalog);
  }

  #read(attempt: Attempt): ReadAttempt {
    const { token, malformed, zone, recheck, requirement } = attempt;
    return {
      token,
      malformed: malformed === true,
      zone: zone === 'internal' ? 'internal' : 'external',
      recheck: recheck === true,
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

const MISTAKES: readonly string[] = ['requirement_invalid', 'scope_unknown'];

/** What every object inherits: nothing of an attempt, as long as nobody has written to `Object.prototype`. */
const INHERITED: Attempt = {};

/**
 * An attempt's own fields, not those that it inherits: `Object.prototype.zone = 'internal'` makes nobody internal. To ask
 * what everything inherits costs a tenth of asking whether each field is the attempt's own, so that is asked first.
 */
function ownFields(attempt: Attempt): Attempt {
  const { token, malformed, zone, recheck, requirement, fault } = INHERITED;
  const clean = (token ?? malformed ?? zone ?? recheck ?? requirement ?? fault) === undefined;
  return clean ? attempt : Object.assign(Object.create(null), attempt);
}

function pushCredential(trace: Trace, problem: DenialReason): void {
  const details: Partial<Record<DenialReason, string>> = {
    token_missing: 'no credential came with the call',
    token_malformed: 'several credentials came, or one that is no single token of at most 8 KiB',
    token_unknown: 'the credential has the form of no token of this instance, or a wrong checksum',
  };
  trace.push({ check: 'credential', passed: false, detail: details[problem] ?? problem });
}
