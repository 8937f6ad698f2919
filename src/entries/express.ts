export { type ExpressGuardOptions, type GuardedRequest, guard, leaseOf, notFound } from '../transports/express.js';
export { lintRoutes } from '../transports/express-lint.js';
export type { Lease } from '../transports/lease.js';
export type { Finding } from '../transports/lint.js';
