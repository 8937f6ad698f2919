import type { Request, RequestHandler, Response } from 'express';
import { unpolluted } from '../base/check.js';
import type { Decision, Denied } from '../domain/decision.js';
import { denied } from '../domain/decision.js';
import type { Principal } from '../domain/principal.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import type { RegisteredPrincipal } from '../instance/register.js';
import { asker, type RequirementFor, reporter } from './ask.js';
import { type HttpGuardOptions, httpOptions, optionsReader } from './guard-options.js';
import { httpAnswers } from './http-answer.js';
import { type Lease, leaseNodeRequest } from './lease.js';
import { markGuard } from './lint.js';
import { sendAnswer } from './node-answer.js';
import { readNodeCredential } from './node-credential.js';
import { principalOf } from './once.js';
import { rateLimitHeaders } from './rate-limit-headers.js';

/** The property that guards add to a request of Express: none if the application declares a `principal` of its own. */
type WithPrincipal = 'principal' extends keyof Express.Request
  ? object
  : {
      /** The caller; `null` if no credential was needed, `undefined` if no guard ran. */
      principal?: RegisteredPrincipal | null;
    };

// Not on the global `Express.Request`: applications add to that, and a second property of one name is an error (TS2717).
declare module 'express-serve-static-core' {
  interface Request extends WithPrincipal {}
}

/** A request as a requirement function sees it. */
export type GuardedRequest = Omit<Request, 'params'> & {
  readonly params: Readonly<Record<string, string | undefined>>;
};

/** Options of the Express `guard`. */
export interface ExpressGuardOptions extends HttpGuardOptions<GuardedRequest> {
  /**
   * Answers a denied request in the application's own form. If it has not begun an answer when it returns (or when its
   * promise settles), the standard answer is sent. The handler never runs.
   */
  readonly onDenied?: ((denial: Denied, request: Request, response: Response) => unknown) | undefined;
}

const readOptions = optionsReader('guard of postern/express', httpOptions);

/**
 * Middleware that lets a request pass only if the requirement is met. For Express 5 and 4.
 *
 * @example
 * app.post('/models', guard(postern, { scope: 'models:write' }), (req, res) => res.json({ by: req.principal?.owner }));
 * @throws PosternError `requirement_invalid`, `scope_unknown`, `option_invalid`, `option_unknown`
 */
export function guard<T extends TokenTypes>(
  postern: Postern<T>,
  requirement: RequirementFor<GuardedRequest, T>,
  options?: ExpressGuardOptions,
): RequestHandler {
  const { zone, header, onDenied, ...challenge } = readOptions(options);
  const ask = asker(postern, requirement, zone, READING);
  const report = reporter(postern, 'express');
  const answer = httpAnswers(challenge);

  const middleware: RequestHandler = (request, response, next) => {
    const decision = ask(
      request as GuardedRequest,
      readNodeCredential(request, header, Reflect.get(request, 'headers')),
    );
    if (!(decision instanceof Promise)) return settle(decision);
    const wasOver = response.writableEnded;
    void decision
      // A timeout has answered while the decision was pending: nobody waits for the handler.
      .then((settled) => (settled.allowed && !wasOver && response.writableEnded ? undefined : settle(settled)))
      // Express does not catch an error that `next()` throws here, and a rejection would end the process.
      .catch((error) => sendAnswer(response, answer(report(error))));

    function settle(settled: Decision): void {
      if (!settled.allowed) {
        if (onDenied === undefined) sendAnswer(response, answer(settled));
        else void renderDenied(settled);
        return;
      }
      showPrincipal(request, settled.principal);
      const limit = unpolluted(settled, 'limit');
      if (limit !== undefined && !response.headersSent) response.set(rateLimitHeaders(limit));
      next();
    }

    async function renderDenied(denial: Denied): Promise<void> {
      const refuse = () => sendAnswer(response, answer(denial));
      // `res.render` and `res.sendFile` report failures to `request.next`, which must not lead past the guard.
      request.next = refuse;
      try {
        await onDenied?.(denial, request, response);
        if (response.headersSent) return;
      } catch (error) {
        report(error);
      }
      refuse();
      // `res.render` may call `send` later. That is too late, and must not throw outside of any catch.
      response.send = () => response;
    }
  };
  markGuard(middleware, requirement);
  return middleware;
}

/** Prototypes of requests that show the principal. */
const SHOWING = new WeakSet<object>();

/**
 * Gives the request its `principal`: by a getter of the application's own requests, because a new property of each request takes
 * as long as the whole decision.
 */
function showPrincipal(request: Request, principal: Principal | null): void {
  const prototype = requestsOf(request);
  if (prototype === null || Object.hasOwn(request, 'principal')) Object.assign(request, { principal });
  else if (!SHOWING.has(prototype)) {
    Object.defineProperty(prototype, 'principal', PRINCIPAL);
    SHOWING.add(prototype);
  }
}

/**
 * The prototype of the application's requests; `null` for a request without an application. Of applications in each other it is the
 * outermost one's, whose handlers read the principal too. An application may be put into another at any time.
 */
function requestsOf(request: Request): object | null {
  let found: object | null = null;
  for (let each = Object.getPrototypeOf(request); each !== null; each = Object.getPrototypeOf(each)) {
    if (Object.hasOwn(each, 'app')) found = each;
    else if (found !== null) return found;
  }
  return found;
}

const PRINCIPAL: PropertyDescriptor & ThisType<Request> = {
  configurable: true,
  get() {
    return principalOf(this);
  },
  set(value) {
    Object.defineProperty(this, 'principal', { value, configurable: true, enumerable: true, writable: true });
  },
};

/**
 * Express exchanges the prototype of each request, so V8 gives each one a hidden class of its own. A property that is read by name
 * misses V8's caches there, which takes as long as half a decision; `Reflect.get` does not use them.
 */
const READING = {
  transport: 'express' as const,
  methodOf: (request: GuardedRequest): string => Reflect.get(request, 'method'),
  identityOf: (request: GuardedRequest) => request,
  onExpress: true,
};

/**
 * A lease of the decision that let this request through, for a stream that stays open: it ends with the response. A response that
 * is still open two seconds after the signal is cut off.
 *
 * @example
 * app.get('/events', guard(postern, { scope: 'models:read' }), (request, response) => {
 *   const events = subscribe((event) => response.write(`data: ${event}\n\n`));
 *   leaseOf(request).signal.addEventListener('abort', () => response.end());
 *   response.on('close', () => events.stop());
 * });
 * @throws PosternError `guard_missing` where no guard let this request through
 */
export function leaseOf(request: Request): Lease {
  return leaseNodeRequest(request, request.res as Response);
}

/** A catch-all route that answers as an unknown or private endpoint does, to the byte. */
export function notFound(): RequestHandler {
  const answer = httpAnswers()(denied('endpoint_unknown'));
  return (_request, response) => sendAnswer(response, answer);
}
