export { type ExpressGuardOptions, type GuardedRequest, guard, notFound } from '../transports/express.js';
export { lintRoutes } from '../transports/express-lint.js';
export type { Finding } from '../transports/lint.js';
