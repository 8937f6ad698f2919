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
import type { EndpointPolicy } from '../domain/endpoint.js';
import { isPosternError, isUnavailable } from '../domain/errors.js';
import { type Explanation, remedyFor } from '../domain/explain.js';
import { NO_LIMITS } from '../domain/limits.js';
import type { Requirement } from '../domain/requirement.js';
import type { Core } from '../instance/core.js';
import type { Authenticator } from '../ports/authenticator.js';
import { type Attempt, AttemptReader, ownFields, type ReadAttempt } from './attempt.js';
import { type Credential, credentialReader, type OpaqueCredential, type SignedCredential } from './credential.js';
import type { Holder } from './holder.js';
import { IssuerFault } from './issuer-fault.js';
import { Limiter } from './limiter.js';
import type { SignedTokens } from './signed-tokens.js';
import { pushCredential, pushKnown } from './steps.js';
import { TokenFinder } from './token-finder.js';

/** What goes with one call through the checks. Each field is always there: none is looked for in a prototype. */
interface Call {
  /** Whether it is a use: of a token that has limits, one that is charged. */
  readonly counted: boolean;
  /** Whether only its holder is asked for: what its credential is good for is then a part of the answer, and not judged. */
  readonly identifying: boolean;
  /** Whose credential it is, once that is known. */
  holder: Holder | null;
  readonly trace: Trace | undefined;
}

/**
 * Answers attempts. `tryAuthorize` walks the warm path, where nothing has to be read and so nothing is awaited; what it
 * can't answer, `authorize` does. Both judge by the functions of `domain/decide`.
 */
export class Authorizer {
  readonly #core: Core;
  readonly #attempts: AttemptReader;
  readonly #readCredential: (token: unknown) => Credential;
  readonly #finder: TokenFinder;
  readonly #authenticators: readonly Authenticator[];
  /** Loaded with the first signed token: where none comes, none of it is. */
  #signed: SignedTokens | null = null;
  readonly #limiter: Limiter;

  constructor(core: Core, authenticators: readonly Authenticator[]) {
    this.#core = core;
    this.#attempts = new AttemptReader(core.settings);
    this.#readCredential = credentialReader(core.settings);
    this.#finder = new TokenFinder(core);
    this.#authenticators = authenticators;
    this.#limiter = new Limiter(core);
  }

  /** @throws PosternError `requirement_invalid`, `scope_unknown` */
  prepare<R extends Requirement>(requirement: R): R {
    return this.#attempts.prepare(requirement);
  }

  tryAuthorize(attempt: Attempt): Decision | null {
    try {
      const fields = ownFields(attempt);
      if (fields.fault !== undefined) return null;
      const call: Call = { counted: true, identifying: false, holder: null, trace: undefined };
      const decision = this.#tryDecide(this.#attempts.read(fields), this.#core.time.read(), call);
      if (decision !== null)
        this.#core.events.decision(decision, call.holder?.principal ?? null, this.#core.time.latest);
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
    const call: Call = { counted: true, identifying: false, holder: null, trace: undefined };
    const decision = await this.#answer(attempt, call);
    this.#core.events.decision(decision, call.holder?.principal ?? null, this.#core.time.latest);
    return decision;
  }

  async authenticate(token: unknown): Promise<Authentication> {
    const decision = await this.#answer({ token, requirement: { authenticated: true } } as Attempt, {
      counted: false,
      identifying: false,
      holder: null,
      trace: undefined,
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
    const call: Call = { counted: false, identifying: false, holder: null, trace: steps };
    const decision = await this.#answer(attempt, call);
    // The decision stands by itself: a store that fails only now takes away the advice, not the answer.
    const remedy = await this.#remedy(attempt, decision, call.holder).catch(() => undefined);
    return { decision, steps, ...(remedy && { remedy }) };
  }

  async #answer(attempt: Attempt, call: Call): Promise<Decision> {
    try {
      const fields = ownFields(attempt);
      if (fields.fault !== undefined) return this.#fault(fields.fault, call.trace);
      return await this.#decide(this.#attempts.read(fields), this.#core.time.read(), call);
    } catch (error) {
      // The application's own mistake, which no call can mend: it must hear of it.
      if (isPosternError(error) && MISTAKES.includes(error.code)) throw error;
      return this.#fault(error, call.trace);
    }
  }

  #fault(error: unknown, trace?: Trace): Denied {
    const cause = error instanceof IssuerFault ? 'issuer' : isUnavailable(error) ? 'store' : null;
    const decision = cause === null ? internalError(error) : unavailable(cause, error);
    const detail =
      cause === null
        ? 'something failed: nothing is allowed'
        : `the ${cause} did not answer: nothing is known, so nothing is allowed`;
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
    const credential = this.#credentialOf(attempt);
    if (typeof credential === 'string') return denied(credential);
    const holder = credential.signed === null ? cache.get(credential.key, now) : this.#signed?.peek(credential, now);
    if (holder === undefined) return cache.isUnknown(credential.key, now) ? denied('token_unknown') : null;
    call.holder = holder;
    const ended = decideLife(holder, time.latest);
    if (ended !== null) return denied(ended);
    const { account } = holder;
    if (holder.restriction !== null) {
      const refused = this.#signed?.tryRestrict(holder.restriction, attempt, requirement) ?? null;
      if (refused !== 'none') return refused;
    }
    const decision = decideGrant(holder.principal, requirement, endpoint);
    if (!decision.allowed || attempt.recheck || account === null) return decision;
    // What has limits is counted somewhere that has to be waited for.
    if (account.limits !== NO_LIMITS) return null;
    usage.note(account, endpoint?.id ?? '', now);
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
    const credential = this.#credentialOf(attempt);
    if (typeof credential === 'string') {
      if (trace) pushCredential(trace, credential);
      return denied(credential);
    }
    trace?.push({ check: 'credential', passed: true, detail: 'one well-formed credential' });
    const holder = await this.#find(credential, now);
    if (trace) pushKnown(trace, holder);
    if (typeof holder === 'string') return denied(holder);
    call.holder = holder;
    // The store took its time: what has ended meanwhile has ended.
    time.read();
    const ended = decideLife(holder, time.latest, trace);
    if (ended !== null) return denied(ended);
    if (holder.restriction !== null && !call.identifying) {
      const signed = this.#signed ?? (await this.#loadSigned());
      const refused = await signed.restrict(holder.restriction, attempt, requirement, trace);
      if (refused !== null) return refused;
    }
    const decision = decideGrant(holder.principal, requirement, endpoint, trace);
    const { account } = holder;
    if (!decision.allowed || attempt.recheck || !call.counted || account === null) return decision;
    usage.note(account, endpoint?.id ?? '', now);
    return account.limits === NO_LIMITS ? decision : this.#limiter.charge(account, decision);
  }

  /** Who holds a credential; nothing is charged or counted for it. A holder whose life is over is a denial. */
  async identify(token: unknown): Promise<Holder | Denied> {
    const call: Call = { counted: false, identifying: true, holder: null, trace: undefined };
    const decision = await this.#answer({ token, requirement: { authenticated: true } } as Attempt, call);
    if (!decision.allowed) return decision;
    return call.holder ?? internalError(new Error("a credential was accepted that is nobody's"));
  }

  /** A proof belongs to a signed token: with another one it says that the caller takes it for something that it is not. */
  #credentialOf({ malformed, token, proof }: ReadAttempt): Credential {
    if (malformed) return 'token_malformed';
    const credential = this.#readCredential(token);
    return proof !== null && typeof credential !== 'string' && credential.signed === null
      ? 'token_unknown'
      : credential;
  }

  async #find(credential: OpaqueCredential | SignedCredential, now: number): Promise<Holder | DenialReason> {
    if (credential.signed !== null) return (this.#signed ?? (await this.#loadSigned())).find(credential, now);
    return (await this.#finder.find(this.#finder.bySecret(credential), now)) ?? 'token_unknown';
  }

  /** Even what is loaded costs more than it does, asked for by `import`. */
  async #loadSigned(): Promise<SignedTokens> {
    const loaded = await import('./signed-tokens.js');
    this.#signed ??= new loaded.SignedTokens(this.#core, this.#finder, this.#authenticators);
    return this.#signed;
  }

  async #remedy(attempt: Attempt, decision: Decision, holder: Holder | null): Promise<Explanation['remedy']> {
    // What is signed can't be granted more: its holder has to ask for another one.
    if (decision.allowed || holder === null || holder.restriction !== null) return undefined;
    const { requirement } = this.#attempts.read(ownFields(attempt));
    const { directory, settings, time } = this.#core;
    const endpoint =
      requirement?.kind === 'endpoint'
        ? await directory.find(requirement.organization, requirement.endpoint, time.read())
        : null;
    return remedyFor(decision, requirement, holder.principal, endpoint, settings.catalog);
  }
}

const MISTAKES: readonly string[] = ['requirement_invalid', 'scope_unknown'];
