import { unpolluted } from '../base/check.js';
import { type Allowed, denied } from '../domain/decision.js';
import { own, type Requirement } from '../domain/requirement.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import { internalsOf } from '../instance/internals.js';
import type { PublishedKeySet } from '../jwt/keys.js';
import { asker, type ComputedRequirement, reporter } from '../transports/ask.js';
import { toResponse } from '../transports/fetch-answer.js';
import { readHeaders } from '../transports/fetch-credential.js';
import { rateLimitHeaders } from '../transports/rate-limit-headers.js';
import { callerBehind, isProxyAt, ofSocket, type SocketRequest } from '../transports/zones.js';
import { AGAIN, type Answer, isGrpc, malformed, NOT_TRUSTED, type Refusal, refusals, rpcHeaders } from './answers.js';
import type { GatewayCall } from './call.js';
import { type EnvoyService, envoyService } from './envoy/service.js';
import { signingHops } from './hop/hops.js';
import { aliasesIn, identityHeaders } from './identity.js';
import { type GatewayOptions, readGatewayOptions } from './options.js';
import { readCall, type Told, Unreadable } from './told.js';

/** Facts about a question that are not in its `Request`. `toNodeHandler` passes them. */
export interface Asker {
  /** The address of the peer's socket, or `'unix:'`. Without one the question is refused. */
  readonly address?: string | null | undefined;
  /** The framework's own request: its socket has the address. */
  readonly source?: unknown;
}

/** Answers the questions of proxies about calls to services that know nothing of postern. */
export interface Gateway {
  /**
   * Forward-auth over HTTP: nginx, Caddy, HAProxy, Traefik, Kubernetes Gateway API. A call that may pass is answered with exactly 200,
   * `Cache-Control: no-store` and every identity header, empty for nobody. Any other status is a refusal with its challenge and
   * body. Never rejects.
   */
  fetch(request: Request, asker?: Asker): Promise<Response>;
  /**
   * The same refusal for an error page of nginx, whose `auth_request` keeps neither body nor most statuses. It decides again, and
   * charges nothing and uses up no proof. A call that may pass meanwhile is answered with 503 (with a proof of possession: 401, because
   * the proof is used up), never with an allow.
   */
  denied(request: Request, asker?: Asker): Promise<Response>;
  /** Envoy's external authorization (`envoy.service.auth.v3.Authorization`), for `server.addService` of grpc-js. */
  readonly envoy: EnvoyService;
  /** The public keys of the hops; an empty set without `hop`. @throws PosternError `unavailable` */
  jwks(): Promise<PublishedKeySet>;
}

/**
 * Decides about calls to services behind a proxy, with the requirements, decisions and answers of every guard.
 *
 * @example
 * const gateway = createGateway(postern, {
 *   requirement: endpointFromHost('{endpoint}.{organization}.cloud.example.com'),
 *   trustedProxies: ['127.0.0.1'],
 *   zone: internalNetworks(['10.0.0.0/8']),
 *   hop: { issuer: 'https://auth.acme.dev', keys },
 * });
 * app.use('/auth', toNodeHandler(gateway.fetch));
 * @throws PosternError `option_invalid`, `option_unknown`, `requirement_invalid`, `scope_unknown`; `input_invalid` if `postern` is
 *   no instance
 */
export function createGateway<T extends TokenTypes>(postern: Postern<T>, options: GatewayOptions<NoInfer<T>>): Gateway {
  const { requirement, isProxy, zone, source, hop, places, challenge } = readGatewayOptions(options);
  const { ground } = internalsOf(postern);
  const hops = hop === undefined ? null : signingHops(postern, hop);
  const refusalFor = refusals(challenge);
  const report = reporter(postern, 'gateway');
  const needs = new WeakMap<Question, ComputedRequirement>();
  const askerAs = (mode: 'use' | 'again') =>
    asker<Question, TokenTypes>(
      postern as unknown as Postern,
      // A constant is checked here already.
      typeof requirement === 'function' ? found : (requirement as Requirement),
      typeof zone === 'function' ? ({ caller }) => zone(caller) : zone,
      { transport: 'gateway', methodOf: ({ call }) => call.method, identityOf: (question) => question, mode },
    );
  const ask = askerAs('use');
  const askAgain = askerAs('again');

  function found(question: Question): ComputedRequirement | Promise<ComputedRequirement> {
    const needed = (requirement as EndpointFunction)(question.call);
    const note = (each: ComputedRequirement) => {
      needs.set(question, each);
      return each;
    };
    return needed instanceof Promise ? needed.then(note) : note(needed as ComputedRequirement);
  }

  /** @param peer the caller's address as the proxy's socket has it, or the proxy's own */
  async function decide(told: Told | Unreadable, peer: string): Promise<Answer> {
    if (told instanceof Unreadable) return refused(malformed(told.problem));
    const { question, presented } = read(told, peer);
    const decision = await ask(question, presented);
    if (!decision.allowed) return refused(refusalFor(decision));
    return { allowed: true, headers: await headersOf(decision, question) };
  }

  /** Decides again about a call that was refused. */
  async function decideAgain(told: Told | Unreadable, peer: string): Promise<Refused> {
    if (told instanceof Unreadable) return refused(malformed(told.problem));
    const { question, presented } = read(told, peer);
    const decision = await askAgain(question, presented);
    if (!decision.allowed) return refused(refusalFor(decision));
    // The proof is used up by now, by this call or by an earlier one.
    const isSpent = decision.principal !== null && presented.proof !== null;
    return refused(isSpent ? refusalFor(denied('proof_invalid')) : AGAIN);
  }

  function read(told: Told, peer: string) {
    const caller = callerBehind(peer, told.headers.get('x-forwarded-for') ?? '', isProxy);
    const call = { ...told, address: caller.socket.remoteAddress ?? null };
    const presented = readHeaders(call.headers, () => call.target, places);
    return { question: { call, caller } satisfies Question, presented };
  }

  async function headersOf(decision: Allowed, question: Question): Promise<Record<string, string>> {
    const { principal } = decision;
    const { call } = question;
    const limit = unpolluted(decision, 'limit');
    const signed =
      principal === null || hops === null
        ? ''
        : await hops.sign(principal, {
            audience: audienceOf(question, principal.organization),
            htm: call.method,
            htu: `${call.scheme}://${call.host}${call.path}`,
          });
    return { ...identityHeaders(principal, signed), ...(limit !== undefined && rateLimitHeaders(limit)) };
  }

  /** `organization/endpoint`; of a requirement without an endpoint `organization/`, so that no name of another service equals it. */
  function audienceOf(question: Question, organization: string): string {
    const needed = (typeof requirement === 'function' ? needs.get(question) : requirement) as object;
    if (!Object.hasOwn(needed, 'endpoint')) return `${organization}/`;
    const { endpoint, organization: named } = needed as { endpoint: string; organization?: string | typeof own };
    return `${named === own ? organization : (named ?? ground.settings.organization)}/${endpoint}`;
  }

  /** A fault becomes a refusal. */
  async function settled<A extends Answer>(work: () => Promise<A | Refused>): Promise<A | Refused> {
    try {
      return await work();
    } catch (error) {
      return refused(refusalFor(report(error)));
    }
  }

  function overHttp<A extends Answer>(request: Request, asker: Asker, decide: Decide<A>): Promise<A | Refused> {
    return settled<A>(async () => {
      const address = addressOf(asker);
      if (!isProxyAt(address, isProxy)) return refused(NOT_TRUSTED);
      const aliases = aliasesIn(request.headers);
      if (aliases.length > 0) return refused(malformed('A header is named like one of ours.'));
      return decide(readCall(request, source), address);
    });
  }

  return Object.freeze({
    async fetch(request: Request, asker: Asker = {}) {
      const answer = await overHttp(request, asker, decide);
      return answer.allowed ? allowedResponse(answer.headers) : deniedResponse(answer.refusal, request);
    },
    async denied(request: Request, asker: Asker = {}) {
      const { refusal } = await overHttp(request, asker, decideAgain);
      return deniedResponse(refusal, request);
    },
    envoy: envoyService({
      isTrusted: (peer) => isProxyAt(peer, isProxy),
      decide: (told, peer) => settled(() => decide(told, peer)),
      refuse: (error) => refusalFor(report(error)),
    }),
    jwks: async () => hops?.jwks() ?? { keys: [] },
  });
}

type EndpointFunction = Extract<GatewayOptions['requirement'], (call: GatewayCall) => unknown>;

type Decide<A extends Answer> = (told: Told | Unreadable, peer: string) => Promise<A>;

/** Decisions that are made again have no other form: none can become an allow. */
type Refused = Extract<Answer, { allowed: false }>;

/** One call that is asked about: a new object for each question, so each is decided and charged by itself. */
interface Question {
  readonly call: GatewayCall;
  /** The caller, for the zone's rules. */
  readonly caller: SocketRequest;
}

function refused(refusal: Refusal): Refused {
  return { allowed: false, refusal };
}

/** A runtime may pass something of its own as the second argument. */
function addressOf(asker: Asker): unknown {
  if (typeof asker !== 'object' || asker === null) return undefined;
  const source = unpolluted(asker, 'source');
  const isNode = typeof source === 'object' && source !== null && 'socket' in source && 'headers' in source;
  return unpolluted(asker, 'address') ?? (isNode ? ofSocket(source as SocketRequest).address : undefined);
}

/** Proxies that keep answers (nginx `proxy_cache`) would let others in. */
const NO_STORE = { 'Cache-Control': 'no-store' };

function allowedResponse(headers: Readonly<Record<string, string>>): Response {
  return new Response('', { status: 200, headers: { ...NO_STORE, 'Content-Length': '0', ...headers } });
}

function deniedResponse(refusal: Refusal, request: Request): Response {
  const { status, headers, body, rpc } = refusal;
  // Never 200, as gRPC has it: that would be an allow.
  return isGrpc(request.headers)
    ? toResponse({
        status,
        headers: { ...headers, ...rpcHeaders(rpc), 'Content-Type': 'application/grpc', 'Content-Length': '0' },
        body: '',
      })
    : toResponse({ status, headers, body });
}
