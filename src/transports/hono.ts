import type { Context, MiddlewareHandler } from 'hono';
import { unpolluted } from '../base/check.js';
import { type Denied, denied } from '../domain/decision.js';
import type { Principal } from '../domain/principal.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import type { RegisteredPrincipal } from '../instance/register.js';
import { asker, type RequirementFor, reporter } from './ask.js';
import { toResponse, withHeaders } from './fetch-answer.js';
import { readFetchCredential } from './fetch-credential.js';
import { isLeased, type Lease, leaseFetchRequest, untilBodyEnds } from './fetch-lease.js';
import { type HttpGuardOptions, httpOptions, optionsReader } from './guard-options.js';
import { hasGuard } from './hono-lint.js';
import { httpAnswers } from './http-answer.js';
import { markGuard } from './lint.js';
import type { HttpAnswer } from './problem.js';
import { rateLimitHeaders } from './rate-limit-headers.js';

/** What `c.get('principal')` is in an application that declares nothing else of that name. */
export interface PosternVariables {
  /** Who calls; `null` where no credential was needed, `undefined` where no guard ran. */
  principal?: RegisteredPrincipal | null;
}

declare module 'hono' {
  interface ContextVariableMap extends PosternVariables {}
}

/** The variables of a context behind a guard. */
export interface GuardEnv<T extends TokenTypes = TokenTypes> {
  Variables: {
    /** Who calls; `null` where no credential was needed. */
    principal: Principal<T> | null;
  };
}

/** Options of the Hono `guard`. */
export interface HonoGuardOptions extends HttpGuardOptions<Context> {
  /** Answers a denied request in the application's own form. Nothing, or a throw: the standard answer. */
  readonly onDenied?:
    | ((denial: Denied, context: Context) => Response | undefined | Promise<Response | undefined>)
    | undefined;
}

const readOptions = optionsReader('guard of postern/hono', httpOptions);

/** The property of a context that holds the request it began with: some middleware puts another one in its place. */
const REQUEST = Symbol.for('postern.hono-request');

type WithRequest = Pick<Context, 'req'> & { [REQUEST]?: Request };

const READING = {
  transport: 'hono' as const,
  methodOf: (context: Context) => context.req.method,
  identityOf(context: WithRequest): Request {
    context[REQUEST] ??= context.req.raw;
    return context[REQUEST];
  },
};

/**
 * Middleware that lets a request through to what follows it only if the requirement is met.
 *
 * @example
 * app.use('/models/*', guard(postern, { scope: 'models:read' }));
 * app.get('/models', (c) => c.json({ by: c.get('principal')?.owner }));
 * @throws PosternError `requirement_invalid`, `scope_unknown`, `option_invalid`, `option_unknown`
 */
export function guard<T extends TokenTypes>(
  postern: Postern<T>,
  requirement: RequirementFor<Context, T>,
  options?: HonoGuardOptions,
): MiddlewareHandler<GuardEnv<T>> {
  const { zone, header, onDenied, ...challenge } = readOptions(options);
  const ask = asker<Context, T>(postern, requirement, zone, READING);
  const answer = httpAnswers(challenge);
  const report = reporter(postern, 'hono');

  const middleware: MiddlewareHandler<GuardEnv<T>> = async (context, next) => {
    const asked = ask(context, readFetchCredential(context.req.raw, header));
    const decision = asked instanceof Promise ? await asked : asked;
    if (!decision.allowed) return (await ownAnswer(decision, context)) ?? send(context, answer(decision));
    context.set('principal', decision.principal);
    // A handler that throws has been answered for by the time that this returns.
    await next();
    const request = READING.identityOf(context);
    const limit = unpolluted(decision, 'limit');
    if (limit === undefined && !isLeased(request)) return;
    const held = untilBodyEnds(request, context.res);
    const response = limit === undefined ? held : withHeaders(held, rateLimitHeaders(limit));
    // Hono would add the headers of the response that it takes the place of.
    if (response !== context.res) Object.assign(context, { res: undefined }, { res: response });
  };

  async function ownAnswer(denial: Denied, context: Context): Promise<Response | undefined> {
    try {
      const own = await onDenied?.(denial, context);
      return own instanceof Response ? own : undefined;
    } catch (error) {
      report(error);
      return undefined;
    }
  }

  markGuard(middleware, requirement);
  return middleware;
}

/**
 * A lease of the decision that let this request through, for a response that is a stream. It ends with the response's body, or with
 * the client. A body that is still open two seconds after the signal is broken off.
 *
 * @example
 * app.get('/events', guard(postern, { endpoint: 'live' }), (c) => streamSSE(c, async (stream) => {
 *   leaseOf(c).signal.addEventListener('abort', () => stream.close());
 * }));
 * @throws PosternError `guard_missing` where no guard let this request through
 */
export function leaseOf(context: Context): Lease {
  return leaseFetchRequest(READING.identityOf(context));
}

/**
 * Middleware that refuses every route that no guard stands in front of (`requirement_missing`, 403). Put it before all routes.
 * A path that is none of the application's gets its own 404.
 *
 * @example
 * app.use(refuseUndeclared());
 */
export function refuseUndeclared(): MiddlewareHandler {
  const answer = httpAnswers()(denied('requirement_missing'));
  return async (context, next) => {
    if (!hasGuard(context.req.matchedRoutes)) return send(context, answer);
    await next();
  };
}

/** A handler of what is not found (`app.notFound(notFound())`) whose answer is that of an unknown or private endpoint, to the byte. */
export function notFound(): () => Response {
  const answer = httpAnswers()(denied('endpoint_unknown'));
  return () => toResponse(answer);
}

/** With the headers that the application has set already: those of CORS, the id of a request. */
function send(context: Context, { status, headers, body }: HttpAnswer): Response {
  return context.newResponse(body, status as 401, { ...headers });
}
