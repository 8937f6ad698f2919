import { unpolluted } from '../base/check.js';
import type { Denied } from '../domain/decision.js';
import { denied } from '../domain/decision.js';
import type { Zone } from '../domain/endpoint.js';
import type { Principal } from '../domain/principal.js';
import type { Requirement } from '../domain/requirement.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import { asker, type ComputedRequirement, reporter } from './ask.js';
import { toResponse, withHeaders } from './fetch-answer.js';
import { readFetchCredential } from './fetch-credential.js';
import { type Lease, leaseFetchRequest, whileLeased } from './fetch-lease.js';
import { functionOption, type HttpGuardOptions, httpOptions, optionsReader } from './guard-options.js';
import { answerTo } from './http.js';
import { httpAnswers } from './http-answer.js';
import { rateLimitHeaders } from './rate-limit-headers.js';

/** The second argument of a guarded handler. */
export interface GuardContext<T extends TokenTypes = TokenTypes> {
  /** The caller; `null` if no credential was needed. */
  readonly principal: Principal<T> | null;
  /**
   * Aborts when the request would be denied now, as {@link Lease.signal}. Read it where the response is a stream: the stream's end,
   * or the client's, ends the lease.
   */
  readonly signal: AbortSignal;
}

/** The arguments of the guard's functions: the request, then everything that the runtime passes with it. */
export type FetchCall<Rest extends readonly unknown[]> = readonly [request: Request, ...rest: Rest];

/** Options of the fetch `guard`. */
export interface FetchGuardOptions<Rest extends readonly unknown[]> extends Omit<HttpGuardOptions<never>, 'zone'> {
  /** The caller's zone: a value, or a function of the runtime's arguments. Default: every caller is external. */
  readonly zone?: Zone | ((...call: FetchCall<Rest>) => Zone) | undefined;
  /** Answers a denied request in the application's own form. If it returns nothing or throws, the standard answer is sent. */
  readonly onDenied?:
    | ((denial: Denied, ...call: FetchCall<Rest>) => Response | undefined | Promise<Response | undefined>)
    | undefined;
  /**
   * Hands over work that goes on after the response, for runtimes that freeze between requests: the uses that wait are written
   * then. The work never rejects. Default: uses are written every ten seconds.
   *
   * @example
   * { waitUntil: (work, _request, _env, context: ExecutionContext) => context.waitUntil(work) }   // Workers
   * { waitUntil: (work) => after(work) }                                                          // Next.js
   */
  readonly waitUntil?: ((work: Promise<void>, ...call: FetchCall<Rest>) => void) | undefined;
}

const readOptions = optionsReader('guard of postern/fetch', {
  ...httpOptions,
  waitUntil: functionOption,
});

/**
 * Puts a requirement in front of a fetch-style handler: Hono, Next.js, Workers, Bun, Deno. Further arguments of the runtime
 * follow the context.
 *
 * Several guards of one request count it once if they see the same object: hand the request itself on. Nothing ties a copy
 * (`new Request(request)`, `request.clone()`) to it, so a copy is charged and counted as a request of its own.
 *
 * @example
 * export default { fetch: guard(postern, { endpoint: 'summarizer' }, (request, { principal }) => new Response(principal?.owner)) };
 * @throws PosternError `requirement_invalid`, `scope_unknown`, `option_invalid`, `option_unknown`
 */
export function guard<T extends TokenTypes, Rest extends readonly unknown[] = readonly unknown[]>(
  postern: Postern<T>,
  requirement:
    | Requirement<T>
    | ((...call: FetchCall<Rest>) => ComputedRequirement<T> | Promise<ComputedRequirement<T>>),
  handler: (request: Request, context: GuardContext<T>, ...rest: Rest) => Response | Promise<Response>,
  options?: FetchGuardOptions<Rest>,
): (...call: FetchCall<Rest>) => Promise<Response> {
  const { zone, header, onDenied, waitUntil, ...challenge } = readOptions(options);
  const ask = asker<FetchCall<Rest>, T>(
    postern,
    typeof requirement === 'function' ? (call) => requirement(...call) : requirement,
    typeof zone === 'function' ? (call) => zone(...call) : zone,
    { transport: 'fetch', methodOf: ([request]) => request.method, identityOf: ([request]) => request },
  );
  const answer = httpAnswers(challenge);
  const report = reporter(postern, 'fetch');

  return async (...call) => {
    const [request, ...rest] = call as unknown as [Request, ...Rest];
    const decision = await ask(call, readFetchCredential(request, header));
    if (decision.allowed) {
      const context = {
        principal: decision.principal,
        get signal() {
          return leaseOf(request).signal;
        },
      };
      if (decision.principal !== null) writeUses(call);
      const response = await whileLeased(request, () => handler(request, context, ...(rest as unknown as Rest)));
      const limit = unpolluted(decision, 'limit');
      return limit === undefined ? response : withHeaders(response, rateLimitHeaders(limit));
    }
    if (onDenied !== undefined) {
      try {
        const own = await onDenied(decision, ...call);
        if (own instanceof Response) return own;
      } catch (error) {
        report(error);
      }
    }
    return toResponse(answer(decision));
  };

  /** The function may be an async one. Nobody waits for it. */
  function writeUses(call: FetchCall<Rest>): void {
    const handOver = async () => (waitUntil as FetchGuardOptions<Rest>['waitUntil'])?.(postern.flush(), ...call);
    if (waitUntil !== undefined) void handOver().catch(report);
  }
}

/**
 * A lease of the decision that let this request through: the same one that the context's `signal` belongs to. It ends with the
 * response's body, or with the client (`request.signal`). A body that is still open two seconds after the signal is broken off. The
 * lease of a WebSocket (status 101) ends with `close()` only.
 *
 * @throws PosternError `guard_missing` where no guard let this request through
 */
export function leaseOf(request: Request): Lease {
  return leaseFetchRequest(request);
}

/** A handler that answers as an unknown or private endpoint does, to the byte. */
export function notFound(): () => Response {
  const answer = httpAnswers()(denied('endpoint_unknown'));
  return () => toResponse(answer);
}

/**
 * What a guard answers for a denial, as a `Response`: for a framework that has no entry here.
 *
 * @example
 * const decision = await postern.authorize({ ...readCredential(request), method: request.method, requirement });
 * if (!decision.allowed) return responseTo(decision);
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function responseTo(...denial: Parameters<typeof answerTo>): Response {
  return toResponse(answerTo(...denial));
}
