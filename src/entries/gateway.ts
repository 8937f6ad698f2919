/** In front of services that know nothing of postern: answers for proxies, and the signed identity of callers. */

export type { GatewayCall } from '../gateway/call.js';
export { createGateway, type Gateway } from '../gateway/create-gateway.js';
export {
  type EndpointFrom,
  type EndpointFromHost,
  endpointFromContext,
  endpointFromHeader,
  endpointFromHost,
  type NamedEndpoint,
} from '../gateway/endpoint-from.js';
export type { EnvoyService } from '../gateway/envoy/service.js';
export type { HopClaims } from '../gateway/hop/hop-claims.js';
export type { HopRequest } from '../gateway/hop/hop-request.js';
export { type HopForOptions, type Hops, type HopsOptions, hops } from '../gateway/hop/hops.js';
export { type HopIdentity, type VerifyHopOptions, verifyHop } from '../gateway/hop/verify-hop.js';
export type { GatewayOptions } from '../gateway/options.js';
export type { Asker } from '../gateway/questions.js';
export { type NodeHandler, toNodeHandler } from '../management/adapters/node.js';
