export {
  type GuardEnv,
  guard,
  type HonoGuardOptions,
  leaseOf,
  notFound,
  type PosternVariables,
  refuseUndeclared,
} from '../transports/hono.js';
export { lintRoutes } from '../transports/hono-lint.js';
export type { Lease } from '../transports/lease.js';
export type { Finding } from '../transports/lint.js';
