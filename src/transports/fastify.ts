import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { ownCopy, unpolluted } from '../base/check.js';
import { type Decision, type Denied, denied } from '../domain/decision.js';
import type { Postern } from '../instance/create-postern.js';
import type { RegisteredPrincipal, RegisteredTypes } from '../instance/register.js';
import { asker, type RequirementFor, reporter } from './ask.js';
import { declared, guardRoutes, isGuarded, isGuardOf } from './fastify-lint.js';
import { type HttpGuardOptions, httpOptions, optionsReader } from './guard-options.js';
import { httpAnswers } from './http-answer.js';
import { type Lease, leaseNodeRequest } from './lease.js';
import { sendAnswer } from './node-answer.js';
import { readNodeCredential } from './node-credential.js';
import type { HttpAnswer } from './problem.js';
import { rateLimitHeaders } from './rate-limit-headers.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller; `null` if no credential was needed. */
    principal: RegisteredPrincipal | null;
  }
  interface FastifyContextConfig {
    /** The requirement of this route. Calls of a route without one are refused. */
    requirement?: RequirementFor<FastifyRequest, RegisteredTypes>;
  }
}

/** Options of `posternPlugin`. */
export interface PosternPluginOptions extends HttpGuardOptions<FastifyRequest> {
  readonly postern: Postern;
  /** For routes without a requirement. Default `'deny'` refuses their calls; `'allow'` opens them to everyone. */
  readonly undeclared?: 'deny' | 'allow' | undefined;
  /**
   * Answers a denied request in the application's own form. If it has not sent a reply when it returns (or when its promise
   * settles), the standard answer is sent. The handler never runs.
   */
  readonly onDenied?: ((denial: Denied, request: FastifyRequest, reply: FastifyReply) => unknown) | undefined;
}

const readOptions = optionsReader('posternPlugin', {
  ...httpOptions,
  postern: z.custom<Postern>(
    (value) => typeof (value as Partial<Postern> | null)?.tryAuthorize === 'function',
    'give the instance that createPostern() returned',
  ),
  undeclared: z.enum(['deny', 'allow'], "use 'deny' or 'allow'").default('deny'),
});

/** Where a request keeps its reply, which Fastify does not show. */
const REPLY = Symbol.for('postern.reply');

type Ask = (request: FastifyRequest) => Decision | Promise<Decision>;

const READING = {
  transport: 'fastify' as const,
  methodOf: (request: FastifyRequest) => request.method,
  // A Fastify inside another framework wraps the request; both share the raw one.
  identityOf: (request: FastifyRequest) => request.raw,
};

const UNGUARDED: Decision = Object.freeze({ allowed: true, principal: null });

/**
 * Guards every route of the instance and of its plugins, by the `requirement` in the route's `config`. It decides in
 * `onRequest`, before the body is read. A request that matches no route gets the instance's own 404.
 * Registered again in a child instance, it replaces the outer guard for the routes of that child.
 *
 * @example
 * await app.register(posternPlugin, { postern });
 * app.post('/models', { config: { requirement: { scope: 'models:write' } } }, (request) => request.principal?.owner);
 * @throws PosternError `option_invalid`, `option_unknown` at registration; `requirement_invalid`, `scope_unknown` at a route's
 */
export const posternPlugin: FastifyPluginAsync<PosternPluginOptions> = async (app, options) => {
  // Fastify adds these keys to a plugin's options.
  const { prefix, logLevel, logSerializers, ...own } = ownCopy(options) as typeof options & Record<string, unknown>;
  const { postern, undeclared, zone, header, onDenied, ...challenge } = readOptions<PosternPluginOptions>(own);
  const answer = httpAnswers(challenge);
  const report = reporter(postern, 'fastify');
  const asks = new WeakMap<object, Ask>();

  /** Called when a route is registered, so that a wrong requirement fails there. */
  function askFor(requirement: RequirementFor<FastifyRequest>): Ask {
    let ask = asks.get(requirement);
    if (ask === undefined) {
      const decide = asker(postern, requirement, zone, READING);
      ask = (request) => decide(request, readNodeCredential(request.raw, header, request.headers));
      asks.set(requirement, ask);
    }
    return ask;
  }

  function decide(request: FastifyRequest): Decision | Promise<Decision> {
    if (request.is404) return UNGUARDED;
    const requirement = declared(request.routeOptions.config);
    if (requirement !== undefined) {
      try {
        return askFor(requirement)(request);
      } catch (error) {
        // The route was declared before the plugin was loaded, so its requirement was never checked.
        return report(error);
      }
    }
    return undeclared === 'allow' ? UNGUARDED : denied('requirement_missing');
  }

  async function deny(denial: Denied, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    // `reply.sent` turns true with the last byte. An asynchronous `onSend` begins the reply before that.
    let begun = false;
    const own = reply.send;
    reply.send = (payload) => {
      begun = true;
      return own.call(reply, payload);
    };
    try {
      await onDenied?.(denial, request, reply);
      if (reply.raw.headersSent) return;
    } catch (error) {
      report(error);
    }
    if (!begun) send(reply, answer(denial));
  }

  if (!isGuarded(app)) {
    app.decorateRequest('principal', null);
    app.decorateRequest(REPLY, null);
  }
  const guarded = guardRoutes(app);
  app.addHook('onRoute', function ({ config }) {
    const requirement = declared(config);
    if (requirement !== undefined && isGuardOf(guarded, this)) askFor(requirement);
  });
  // Hooks that were added later may have declared more.
  app.addHook('onReady', async () => {
    for (const { options, server } of guarded.routes) {
      const requirement = declared(options.config);
      if (requirement !== undefined && isGuardOf(guarded, server)) askFor(requirement);
    }
  });
  app.addHook('onRequest', (request, reply, next) => {
    if (!isGuardOf(guarded, request.server)) return next();
    const decision = decide(request);
    if (!(decision instanceof Promise)) settle(decision);
    // Fastify does not catch an error that `next()` throws here, and a rejection would end the process.
    else void decision.then(settle).catch((error) => send(reply, answer(report(error))));

    function settle(settled: Decision): void {
      if (settled.allowed) {
        request.principal = settled.principal as RegisteredPrincipal | null;
        (request as WithReply)[REPLY] = reply;
        const limit = unpolluted(settled, 'limit');
        if (limit !== undefined) reply.headers(rateLimitHeaders(limit));
        next();
      } else if (onDenied === undefined) send(reply, answer(settled));
      else void deny(settled, request, reply);
    }
  });
};

// As fastify-plugin does: the hooks belong to the instance that registers the plugin, not to a new scope.
Object.assign(posternPlugin, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'postern',
  [Symbol.for('plugin-meta')]: { name: 'postern', fastify: '5.x' },
});

type WithReply = FastifyRequest & { [REPLY]?: FastifyReply | null };

/**
 * A lease of the decision that let this request through, for a stream that stays open: an answer that is sent bit by bit, or the
 * WebSocket of `@fastify/websocket`. It ends with the connection. What is still open two seconds after the signal is cut off.
 *
 * @example
 * app.get('/live', { websocket: true, config: { requirement: { endpoint: 'live' } } }, (socket, request) => {
 *   leaseOf(request).signal.addEventListener('abort', () => socket.close(1008));
 * });
 * @throws PosternError `guard_missing` where no guard let this request through
 */
export function leaseOf(request: FastifyRequest): Lease {
  const reply = (request as WithReply)[REPLY];
  return leaseNodeRequest(request.raw, (reply ?? request).raw as FastifyReply['raw']);
}

/** A not-found handler (`app.setNotFoundHandler(notFound())`) that answers as an unknown or private endpoint does, to the byte. */
export function notFound(): (this: FastifyInstance, request: FastifyRequest, reply: FastifyReply) => void {
  const answer = httpAnswers()(denied('endpoint_unknown'));
  return (_request, reply) => send(reply, answer);
}

function send(reply: FastifyReply, answer: HttpAnswer): void {
  if (reply.sent) return;
  // Someone has begun an answer on the raw response: Fastify's own `send` would throw outside of any catch.
  if (reply.raw.headersSent) sendAnswer(reply.raw, answer);
  // As bytes: to a string Fastify adds a charset, and application/problem+json has none (RFC 9457 section 6).
  else reply.code(answer.status).headers(answer.headers).send(Buffer.from(answer.body));
}
