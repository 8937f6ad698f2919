export { leaseOf, notFound, type PosternPluginOptions, posternPlugin } from '../transports/fastify.js';
export { lintRoutes } from '../transports/fastify-lint.js';
export type { Lease } from '../transports/lease.js';
export type { Finding } from '../transports/lint.js';
