import { ConnectError, type ContextValues, type HandlerContext, type Interceptor } from '@connectrpc/connect';
import { privateField } from '../base/private-field.js';
import type { Decision, Denied } from '../domain/decision.js';
import { PosternError } from '../domain/errors.js';
import type { Principal } from '../domain/principal.js';
import { shared } from '../domain/shared.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import type { RegisteredPrincipal } from '../instance/register.js';
import { reporter } from './ask.js';
import { heldStream } from './connect-lease.js';
import { readFetchCredential } from './fetch-credential.js';
import { type HttpGuardOptions, httpOptions, optionsReader } from './guard-options.js';
import { type Challenge, httpAnswers } from './http-answer.js';
import { type Finding, findingsOf } from './lint.js';
import { type MethodRequirements, readMethods } from './methods.js';
import { STATUSES } from './rpc-status.js';

/** A call as requirement functions, zone functions and `onDenied` see it: before a handler does. */
export interface ConnectRequest {
  /** The called method, `/pkg.Service/Method`. */
  readonly path: string;
  readonly url: string;
  /** What the client sent. Nothing in it is proven. */
  readonly header: Headers;
  /** What the server knows beside: the `contextValues` option of an adapter can put the caller's address there. */
  readonly values: ContextValues;
}

/** What each method needs, by `/pkg.Service/Method`, or by `/pkg.Service/` for every method of a service. */
export type ConnectRequirements<T extends TokenTypes = TokenTypes> = MethodRequirements<ConnectRequest, T>;

/** Options of the `guard` of `postern/connect`. */
export interface ConnectGuardOptions extends HttpGuardOptions<ConnectRequest> {
  /** Answers a denied call with an error of the application's own. Nothing, or a throw: the standard one. */
  readonly onDenied?: ((denial: Denied, request: ConnectRequest) => ConnectError | null | undefined) | undefined;
}

/** An interceptor, and the gate of newer versions of Connect, which decides before a message is read. */
export interface ConnectGuard extends Interceptor {
  /** For the option `requestGate` (Connect 2.3 and later). A call that has passed it is not decided again by the interceptor. */
  readonly requestGate: (context: HandlerContext) => Promise<void>;
}

const readOptions = optionsReader('guard of postern/connect', httpOptions);

/** By the identity of a call's headers: its values may be one object for all calls. */
const PRINCIPALS = /* @__PURE__ */ shared('connect-principals', () => privateField<Principal | null>());

/** What guards were given, for `lintRoutes`. */
const REQUIREMENTS = /* @__PURE__ */ shared(
  'connect-guards',
  () => new WeakMap<ConnectGuard, (path: string) => unknown>(),
);

const READING = {
  transport: 'connect' as const,
  methodOf: ({ path }: ConnectRequest) => path,
  identityOf: ({ header }: ConnectRequest) => header,
};

/**
 * Lets a call through to its handler only if the method's requirement is met; a method that declares none is refused. The
 * same for gRPC, gRPC-web and Connect. As an interceptor alone it decides once Connect has decoded the message of a unary call;
 * with `requestGate` beside it, before anything of a message is read.
 *
 * A stream holds a lease. It ends with the denial, and the `signal` of its handler's context aborts with it as its reason, when its
 * token has ended, its right is gone or the endpoint's access has changed: at once if the store has a feed, and within `cache.ttl`
 * in any case. If the store is down, a stream survives two looks and ends at the third (`unavailable`).
 *
 * Put it first in the list: an interceptor before it sees calls that are not allowed.
 *
 * @example
 * const guarded = guard(postern, { '/bento.Summarizer/Summarize': { endpoint: 'summarizer' } });
 * connectNodeAdapter({ routes, interceptors: [guarded], requestGate: guarded.requestGate });
 * @throws PosternError `option_invalid`, `option_unknown`, `requirement_invalid`, `scope_unknown`
 */
export function guard<T extends TokenTypes>(
  postern: Postern<T>,
  requirements: ConnectRequirements<NoInfer<T>>,
  options?: ConnectGuardOptions,
): ConnectGuard {
  const { zone, header, onDenied, ...challenge } = readOptions(options);
  const { askFor, requirementOf } = readMethods(postern, requirements, zone, READING);
  const report = reporter(postern, 'connect');
  const answer = connectErrors(challenge);
  /** The headers of calls that were let through; by them the headers of their answers, which only the gate sees. */
  const passed = privateField<Headers | null>();

  async function decide(request: ConnectRequest, response: Headers | null): Promise<void> {
    const { path, header: headers, url } = request;
    const decision: Decision = await askFor(path)(request, readFetchCredential({ headers, url }, header));
    if (!decision.allowed) throw errorFor(decision, request);
    PRINCIPALS.set(headers, decision.principal);
    passed.set(headers, response);
  }

  function errorFor(denial: Denied, request: ConnectRequest): ConnectError {
    try {
      const own = onDenied?.(denial, request);
      if (own instanceof ConnectError) return own;
    } catch (error) {
      report(error);
    }
    return answer(denial);
  }

  const interceptor: Interceptor = (next) => async (request) => {
    const { service, method, url, header, contextValues: values } = request;
    const call = { path: `/${service.typeName}/${method.name}`, url, header, values };
    if (passed.get(header) === undefined) await decide(call, null);
    if (!request.stream) return next(request);
    return heldStream(request, next, passed.get(header) ?? null, (denial) => errorFor(denial, call));
  };
  const guarded: ConnectGuard = Object.assign(interceptor, {
    requestGate: ({ service, method, url, requestHeader: header, responseHeader, values }: HandlerContext) =>
      decide({ path: `/${service.typeName}/${method.name}`, url, header, values }, responseHeader),
  });
  REQUIREMENTS.set(guarded, requirementOf);
  return guarded;
}

/** The headers of an answer over HTTP that an error of any protocol can carry. */
const CARRIED = ['WWW-Authenticate', 'Retry-After', 'RateLimit', 'RateLimit-Policy'];

function connectErrors(challenge: Challenge): (denial: Denied) => ConnectError {
  const overHttp = httpAnswers(challenge);
  return (denial) => {
    const { code, details } = STATUSES[denial.reason];
    const metadata = Object.entries(overHttp(denial).headers).filter(([name]) => CARRIED.includes(name));
    return new ConnectError(details, code, metadata);
  };
}

/**
 * Who makes a call: to be asked in its handler. `null` where no credential was needed.
 *
 * @throws PosternError `guard_missing` where no guard let this call through
 */
export function principalOf(context: Pick<HandlerContext, 'requestHeader'>): RegisteredPrincipal | null {
  const principal = PRINCIPALS.get(context.requestHeader);
  if (principal !== undefined) return principal as RegisteredPrincipal | null;
  throw new PosternError(
    'guard_missing',
    'no guard let this call through: give the adapter one, connectNodeAdapter({ routes, interceptors: [guard(postern, …)] })',
  );
}

/**
 * Every method of a router that its guard has no requirement for. For a test of the application:
 *
 * @example
 * expect(lintRoutes(routes(createConnectRouter()), guarded)).toEqual([]);
 * @throws PosternError `input_invalid` for what `guard` did not return
 */
export function lintRoutes(
  router: { readonly handlers: readonly { readonly requestPath: string }[] },
  guarded: ConnectGuard,
): readonly Finding[] {
  const requirementOf = REQUIREMENTS.get(guarded);
  if (requirementOf !== undefined) {
    return router.handlers.flatMap(({ requestPath }) => findingsOf(requestPath, requirementOf(requestPath)));
  }
  throw new PosternError('input_invalid', 'give what guard() of postern/connect returned', {
    path: 'guarded',
    input: 'lintRoutes of postern/connect',
  });
}
