import type { TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import type { PublishedKeySet } from '../jwt/keys.js';
import { toResponse } from '../transports/fetch-answer.js';
import { setNodeFace } from '../transports/node-face.js';
import { isProxyAt } from '../transports/zones.js';
import { decider } from './decider.js';
import { type EnvoyService, envoyService } from './envoy/service.js';
import { signingHops } from './hop/hops.js';
import { type GatewayOptions, readGatewayOptions } from './options.js';
import { overHttp } from './over-http.js';
import { type Asker, questionOfFetch, questionOfNode } from './questions.js';

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
  const given = readGatewayOptions(options);
  const hops = given.hop === undefined ? null : signingHops(postern, given.hop);
  const decides = decider(postern as unknown as Postern<TokenTypes>, given, hops);
  const { answer, answerAgain } = overHttp(decides, given);

  function face(answerTo: typeof answer): Gateway['fetch'] {
    const handler: Gateway['fetch'] = async (request, asker = {}) =>
      toResponse(await answerTo(questionOfFetch(request, asker)));
    setNodeFace(handler, (request) => answerTo(questionOfNode(request)));
    return handler;
  }

  return Object.freeze({
    fetch: face(answer),
    denied: face(answerAgain),
    envoy: envoyService(decides, (peer) => isProxyAt(peer, given.isProxy)),
    jwks: async () => hops?.jwks() ?? { keys: [] },
  });
}
