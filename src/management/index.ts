/** Management of tokens and endpoints over HTTP. */

export { type FastifyLike, fastifyManagement } from './adapters/fastify.js';
export { type NodeHandler, type NodeRequest, type NodeResponse, toNodeHandler } from './adapters/node.js';
export { type ManagementApi, managementApi } from './api.js';
export type { Arrival } from './arrival.js';
export type { ManagementOptions, OwnerWords, Permission, Person, TokenExchange } from './options.js';
