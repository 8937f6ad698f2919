/** Management of tokens and endpoints over HTTP. */

export { type FastifyLike, fastifyManagement } from '../management/adapters/fastify.js';
export { type NodeHandler, toNodeHandler } from '../management/adapters/node.js';
export type { NodeRequest } from '../management/adapters/to-request.js';
export { type ManagementApi, managementApi } from '../management/api.js';
export type { Arrival } from '../management/arrival.js';
export type {
  Branding,
  ManagementOptions,
  OwnerWords,
  Permission,
  Person,
  TokenExchange,
} from '../management/options.js';
export type { NodeResponse } from '../transports/node-answer.js';
