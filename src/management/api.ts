import { ownCopy } from '../base/check.js';
import { isDevelopment } from '../base/runtime.js';
import { inItsTurn } from '../base/turns.js';
import { tokenPattern } from '../domain/token-format.js';
import type { AnyTokenTypes, TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import { internalsOf } from '../instance/internals.js';
import { asker } from '../transports/ask.js';
import { rateLimitHeaders } from '../transports/rate-limit-headers.js';
import { type Arrival, addressOf } from './arrival.js';
import type { Caller } from './caller.js';
import { consoleAnswer, unknownPage } from './console-pages.js';
import type { Context } from './context.js';
import { assertNoTokenInUrl, readBody, readInput, readQuery } from './http/inputs.js';
import { toJson } from './http/json.js';
import { asOAuth, OAuthError } from './http/oauth-error.js';
import { notFound, Problem, problemOf } from './http/problem.js';
import { createRouter, type Match } from './http/router.js';
import { assertSameOrigin } from './http/same-origin.js';
import { assertSaysWho, identify, Refusal } from './identification.js';
import { Logins } from './login/logins.js';
import { openApiRoute } from './openapi.js';
import { type ManagementOptions, readOptions } from './options.js';
import { actingAs } from './permissions.js';
import { accountRoutes, signInRoutes } from './routes/account.js';
import { auditRoutes } from './routes/audit.js';
import { endpointRoutes } from './routes/endpoints.js';
import { exchangeRoutes } from './routes/exchange.js';
import { explainRoutes } from './routes/explain.js';
import { loginRoutes } from './routes/login.js';
import { oauthRoutes } from './routes/oauth.js';
import type { Reply, Route } from './routes/route.js';
import { tokenRoutes } from './routes/tokens.js';
import { usageRoutes } from './routes/usage.js';
import { Sessions } from './sessions.js';
import { Owners } from './wire/owners.js';
import { scopeWords } from './wire/scope-words.js';

/** The management API. It never rejects, and answers every request. A wrapper must pass on both arguments. */
export type ManagementApi = (request: Request, arrival?: Arrival) => Promise<Response>;

/**
 * Management of an instance's tokens and endpoints over HTTP: the wire of BentoCloud's clients, and the console. Mount it in any
 * framework: fetch-style ones (Hono) take it as it is; `toNodeHandler` is for `node:http` and Express, `fastifyManagement` for
 * Fastify.
 *
 * The caller is the holder of a token with developer access, or the person that `identify` names. Callers see and change only
 * their own organization, and grant no more than they hold.
 *
 * @example
 * const api = managementApi(postern, { basePath: '/admin', identify: (request) => personOf(request) });
 * app.use('/admin', toNodeHandler(api));
 * @throws PosternError `option_invalid`, `option_unknown`; `input_invalid` if `postern` is no instance
 */
export function managementApi<T extends TokenTypes>(
  postern: Postern<T>,
  options: ManagementOptions<T> = {},
): ManagementApi {
  const context = createContext(postern, options);
  const { settings } = context;
  const routes = routesOf(context);
  const findRoute = createRouter([...routes, openApiRoute(context, routes)]);
  const token = tokenPattern(context.ground.settings.tokenPrefix);

  async function respond(request: Request, arrival: Arrival): Promise<Response> {
    const url = new URL(request.url);
    const path = pathBelow(settings.basePath, url.pathname);
    const match = path === null ? null : findRoute(path);
    if (path === null || match === null) {
      const page = path === null ? null : consoleAnswer(request.method, url.pathname, path, settings);
      if (page !== null) return page;
      const meant = isDevelopment() ? basePathOf(url.pathname) : null;
      if (meant !== null) return misplaced(meant, settings.basePath).toResponse();
      if (typeof arrival.onUnknownPath === 'function') arrival.onUnknownPath();
      else if (path?.startsWith('/api/')) return unknownCall(context, request, url, arrival);
      else if (path !== null) return unknownPage(request, path, settings) ?? notFound().toResponse();
      return notFound().toResponse();
    }
    const route = routeFor(match, request.method);
    try {
      assertNoTokenInUrl(url, token);
      return await run(context, route, match, request, url, arrival);
    } catch (error) {
      return route.oauth ? asOAuthAnswer(error) : Promise.reject(error);
    }
  }

  /** The part of a path before one of the API's paths; `null` if the path ends with none. */
  function basePathOf(path: string): string | null {
    const segments = path.split('/');
    for (let most = Math.min(findRoute.longest, segments.length); most > 1; most--) {
      const end = `/${segments.slice(1 - most).join('/')}`;
      if (findRoute(end) !== null) return path.slice(0, -end.length);
    }
    return null;
  }

  return async (request, arrival) => {
    const known = ownCopy(arrival ?? {});
    const response = await respond(request, known).catch((error: unknown) => answerTo(error, request, context));
    if (request.method !== 'HEAD') return response;
    return new Response(null, { status: response.status, headers: response.headers });
  };
}

function createContext(postern: Postern<AnyTokenTypes>, options: unknown): Context {
  const { ground, gate, secrets } = internalsOf(postern);
  const { catalog } = ground.settings;
  const settings = readOptions(options, catalog);
  return {
    postern,
    ground,
    ask: asker(postern, { authenticated: true }, 'external', READING),
    gate,
    secrets,
    settings,
    words: scopeWords(catalog),
    logins: new Logins(ground),
    sessions: new Sessions(ground, secrets),
    startedAt: new Date(ground.time.read()),
    report(error, request) {
      const { onError } = settings;
      if (onError === null) return ground.events.fault('management', error, ground.time.latest);
      // It may be an async function.
      void (async () => onError(error, request))().catch(() => {});
    },
  };
}

const READING = {
  transport: 'management' as const,
  methodOf: ({ method }: Request) => method,
  identityOf: (request: Request) => request,
};

function routesOf(context: Context): readonly Route[] {
  const { session, login, accessTokens } = context.settings;
  return [
    ...accountRoutes,
    ...(session ? signInRoutes : []),
    ...(login ? loginRoutes(context) : []),
    ...tokenRoutes,
    ...usageRoutes,
    ...endpointRoutes,
    ...auditRoutes,
    ...explainRoutes,
    ...oauthRoutes,
    ...(accessTokens === null ? [] : exchangeRoutes(context, accessTokens)),
  ];
}

/** A hint for the developer who mounted the API at another path. In development only. */
function misplaced(asked: string, basePath: string): Problem {
  const detail =
    `The management API answers below "${basePath || '/'}" (its basePath), and this call came below "${asked || '/'}". ` +
    `Call it below its basePath. If it is mounted below "${asked || '/'}", write managementApi(postern, { basePath: '${asked}' }).`;
  return new Problem(404, 'not_found', detail);
}

/** Clients of BentoCloud's larger API notice by a 401 alone that they are not logged in, so that is checked first. */
async function unknownCall(context: Context, request: Request, url: URL, arrival: Arrival): Promise<never> {
  await identify(context, request, originOf(context, url).startsWith('https:'), arrival.source);
  throw new Problem(404, 'not_found', 'This server manages tokens and endpoints only.');
}

function originOf({ settings }: Context, url: URL): string {
  return settings.origin ?? url.origin;
}

/** The path below the base path: `/` for the base path itself, `null` for a path outside. */
function pathBelow(basePath: string, path: string): string | null {
  if (path === basePath) return '/';
  return path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : null;
}

/** @throws Problem 405 */
function routeFor({ routes }: Match, method: string): Route {
  const get = routes.get('GET');
  const route = method === 'HEAD' && !get?.once ? get : routes.get(method);
  if (route !== undefined) return route;
  const methods = [...routes.keys(), ...(get !== undefined && !get.once ? ['HEAD'] : [])];
  throw new Problem(405, 'method_not_allowed', `This path takes ${methods.join(', ')}.`, {
    headers: { allow: methods.join(', ') },
  });
}

/**
 * Takes the same steps for every call. The body comes first: its sender may take long, and the decision about the caller must not be
 * older than the change.
 */
async function run(
  context: Context,
  route: Route,
  match: Match,
  request: Request,
  url: URL,
  arrival: Arrival,
): Promise<Response> {
  const origin = originOf(context, url);
  const secure = origin.startsWith('https:');
  const changes = request.method !== 'GET' && request.method !== 'HEAD';
  if (route.access === 'caller') assertSaysWho(context, request, secure);
  const sent = await readBody(route, request);
  const caller = route.access === 'open' ? null : await identify(context, request, secure, arrival.source);
  const asked = route.access === 'open' ? route.sameOrigin : caller?.ambient;
  if (changes && asked) assertSameOrigin(request, origin);
  if (route.access === 'caller') route.permit?.(context, caller as Caller);
  const call = {
    context,
    request,
    params: match.params,
    query: readQuery(route, url),
    body: readInput(route, sent),
    from: addressOf(context, request, arrival),
    origin,
    secure,
    owners: new Owners(context, request, caller),
  };
  if (route.access === 'open') return rendered(await route.handle(call), null);
  const known = caller as Caller;
  const reply = await route.handle({ ...call, caller: known, library: actingAs(context, known, call.from) });
  return rendered(reply, known);
}

async function rendered(reply: Reply, caller: Caller | null): Promise<Response> {
  if (reply instanceof Response) return reply;
  const limit = caller?.kind === 'token' ? caller.limit : null;
  const pieces = await toJson(reply.body);
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(limit !== null && rateLimitHeaders(limit)),
    ...reply.headers,
  };
  return inItsTurn(() => new Response(pieces.join(''), { status: 200, headers }));
}

/** Renders an error in OAuth's form. Faults and refusals with a status of their own stay as they are. */
function asOAuthAnswer(error: unknown): Response | Promise<never> {
  if (error instanceof OAuthError) return error.toResponse();
  const { problem, fault } = problemOf(error);
  return fault || error instanceof Refusal ? Promise.reject(error) : asOAuth(problem);
}

function answerTo(error: unknown, request: Request, context: Context): Response {
  if (error instanceof Refusal) return error.response;
  const { problem, fault } = problemOf(error);
  if (fault) context.report(error, request);
  return problem.toResponse();
}
