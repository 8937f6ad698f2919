import { SecretReference } from '../base/credential.js';
import type { Ground } from '../base/ground.js';
import { elapsed } from '../base/runtime.js';
import { type Authentication, type Decision, type Denied, internalError } from '../domain/decision.js';
import { isPosternError, PosternError } from '../domain/errors.js';
import type { Explanation } from '../domain/explain.js';
import type { Requirement } from '../domain/requirement.js';
import type { Trace } from '../domain/trace.js';
import type { Transport } from '../domain/transport.js';
import { type Attempt, AttemptReader, type GuardAttempt } from './attempt.js';
import { type Answer, Call, type Mode } from './call.js';
import { type FactSources, Facts } from './facts.js';
import { deniedFor } from './fault.js';
import { Identified } from './identified.js';
import { step } from './step.js';
import type { UsageRecorder } from './usage.js';

interface Sources extends FactSources {
  readonly usage: UsageRecorder;
}

/**
 * Decides attempts. It has the facts found that {@link step} asks for, and steps again. Facts in memory are used at once; other
 * facts are loaded. The rules are the same for both.
 */
export class Authorizer {
  readonly #ground: Ground;
  readonly #attempts: AttemptReader;
  readonly #facts: Facts;
  readonly #usage: UsageRecorder;

  constructor(ground: Ground, sources: Sources) {
    this.#ground = ground;
    this.#attempts = new AttemptReader(ground.settings);
    this.#facts = new Facts(ground, sources);
    this.#usage = sources.usage;
  }

  /** @throws PosternError `requirement_invalid`, `scope_unknown` */
  prepare<R extends Requirement>(requirement: R): R {
    return this.#attempts.prepare(requirement);
  }

  /** The decision if every fact is in memory, else `null`. Never throws. */
  tryAuthorize(attempt: GuardAttempt, mode: Mode = 'use'): Decision | null {
    const begun = this.#begin(attempt, mode);
    return begun instanceof Call ? null : begun;
  }

  /** @throws PosternError `requirement_invalid`, `scope_unknown`: the application's own mistakes */
  authorize(attempt: GuardAttempt, mode: Mode = 'use'): Promise<Decision> {
    const begun = this.#begin(attempt, mode);
    // A resolved promise costs a third of an async function's.
    return begun === null || begun instanceof Call
      ? this.#authorizeCold(begun ?? attempt, mode)
      : Promise.resolve(begun);
  }

  /** The decision; or the call with the facts from memory, if they don't suffice; or `null` if something threw. */
  #begin(attempt: GuardAttempt, mode: Mode): Decision | Call | null {
    try {
      const call = this.#attempts.read(attempt, mode);
      if (this.#ground.events.observer !== null) call.began = elapsed();
      const now = this.#ground.time.read();
      const next = step(call, this.#facts, this.#ground.time.latest);
      return typeof next === 'string' ? call : this.#finish(call, next, now);
    } catch {
      // The cold path meets the same error again, and reports it.
      return null;
    }
  }

  async authenticate(token: unknown): Promise<Authentication> {
    const { decision } = await this.answer({ token, requirement: { authenticated: true } } as Attempt, 'look');
    if (!decision.allowed) {
      return { ok: false, reason: decision.reason, ...(decision.cause && { cause: decision.cause }) };
    }
    return decision.principal === null
      ? { ok: false, reason: 'internal_error' }
      : { ok: true, principal: decision.principal };
  }

  /** @param within the only organization whose tokens the asker may know; `null`: any */
  async explain(attempt: GuardAttempt, within: string | null): Promise<Explanation> {
    // Loaded on demand: a process that only decides never explains.
    const { Trace } = await import('../domain/trace.js');
    const trace = new Trace();
    const { decision, call } = await this.answer(attempt, 'look', trace, within);
    const { steps } = trace;
    const holder = call?.knownHolder ?? null;
    // A signed token can't be granted more: its holder needs another token.
    if (!call || !holder || holder.restriction !== null) return { decision, steps };
    const { catalog } = this.#ground.settings;
    const { remedyFor } = await import('../domain/explain.js');
    const remedy = remedyFor(decision, call.requirement, holder.principal, call.endpoint ?? null, catalog);
    return { decision, steps, ...(remedy && { remedy }) };
  }

  /** The holder of a credential. Nothing is charged or counted. An ended credential is a denial. */
  async identify(token: unknown, within: string | null = null): Promise<Identified | Denied> {
    const attempt = { token, requirement: { authenticated: true } } as Attempt;
    const { decision, call } = await this.answer(attempt, 'identify', undefined, within);
    if (!decision.allowed) return decision;
    const holder = call?.knownHolder;
    if (!holder) return internalError(new Error('a credential without a holder was accepted'));
    const { account } = holder;
    return new Identified(holder, () => account && this.#usage.note(account, '', '', this.#ground.time.read()));
  }

  /** The secret of an API token, alive or not; `null` if it is not an API token, or unknown. */
  async secretOf(token: unknown): Promise<SecretReference | null> {
    if (token instanceof SecretReference) return token;
    const credential = this.#facts.readCredential(token);
    if (typeof credential === 'string' || credential.signed !== null) return null;
    const { store, digester } = this.#ground;
    const found = await store.findTokenByDigest(digester.candidates(credential.secret));
    return found && new SecretReference(found.secret.digest);
  }

  /** Reports an error that happened before the call could be decided, and denies the call. */
  fault(error: unknown, transport?: Transport): Denied {
    const denial = this.#fault(error);
    this.#ground.events.decision(denial, null, this.#ground.time.latest, transport);
    return denial;
  }

  async #authorizeCold(attempt: GuardAttempt | Call, mode: Mode): Promise<Decision> {
    const { observer } = this.#ground.events;
    const answer = () => this.answer(attempt, mode);
    const { decision, call } = await (observer === null ? answer() : observer.verify(answer));
    return call === null ? this.#emit(decision, null) : this.#finish(call, decision, this.#ground.time.latest);
  }

  /** @throws PosternError `requirement_invalid`, `scope_unknown` */
  async answer(attempt: GuardAttempt | Call, mode: Mode, trace?: Trace, within: string | null = null): Promise<Answer> {
    let call: Call | null = null;
    try {
      call = attempt instanceof Call ? attempt : this.#attempts.read(attempt, mode, within);
      return { decision: await this.#decide(call, trace), call };
    } catch (error) {
      // The application's own mistake: it must be reported to the application.
      if (isPosternError(error) && MISTAKES.includes(error.code)) throw error;
      return { decision: this.#fault(error, trace), call };
    }
  }

  async #decide(call: Call, trace?: Trace): Promise<Decision> {
    for (let waits = 0; waits < MOST_WAITS; waits++) {
      // Read again: the store may have been slow, and the token may have expired meanwhile.
      const now = this.#ground.time.read();
      if (trace) trace.steps.length = 0;
      const next = step(call, this.#facts, this.#ground.time.latest, trace);
      if (typeof next !== 'string') return next;
      await this.#facts.load(next, call, now);
    }
    throw new PosternError('unavailable', 'the token, or its endpoint, changes faster than it can be read: try again');
  }

  /** Counts the use, and emits the event. */
  #finish(call: Call, decision: Decision, now: number): Decision {
    if (decision.allowed && call.mode === 'use' && decision.principal !== null) {
      const account = call.knownHolder?.account;
      const { requirement } = call;
      const scope = requirement?.kind === 'scope' ? requirement.text : '';
      if (account) this.#usage.note(account, call.endpoint?.id ?? '', scope, now);
    }
    // The refusal was told already.
    return call.mode === 'again' ? decision : this.#emit(decision, call);
  }

  #emit(decision: Decision, call: Call | null): Decision {
    this.#ground.events.decision(decision, call, this.#ground.time.latest);
    return decision;
  }

  #fault(error: unknown, trace?: Trace): Denied {
    const decision = deniedFor(error, trace);
    const { latest } = this.#ground.time;
    this.#ground.events.fault('decision', error, Number.isFinite(latest) ? latest : 0);
    return decision;
  }
}

/** A call that is limited waits for six facts at most where nothing is in memory and nothing changes meanwhile. */
const MOST_WAITS = 20;
const MISTAKES: readonly string[] = ['requirement_invalid', 'scope_unknown'];
