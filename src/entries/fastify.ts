export { lintRoutes, notFound, type PosternPluginOptions, posternPlugin } from '../transports/fastify.js';
export type { Finding } from '../transports/lint.js';
