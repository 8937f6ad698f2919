/** Management of tokens and endpoints over HTTP. */

export { type FastifyLike, fastifyManagement } from '../management/adapters/fastify.js';
export { type NodeHandler, type NodeRequest, type NodeResponse, toNodeHandler } from '../management/adapters/node.js';
export { type ManagementApi, managementApi } from '../management/api.js';
export type { Arrival } from '../management/arrival.js';
export type { ManagementOptions, OwnerWords, Permission, Person, TokenExchange } from '../management/options.js';
