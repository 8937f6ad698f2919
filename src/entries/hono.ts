export {
  type GuardEnv,
  guard,
  type HonoGuardOptions,
  notFound,
  type PosternVariables,
  refuseUndeclared,
} from '../transports/hono.js';
export { lintRoutes } from '../transports/hono-lint.js';
export type { Finding } from '../transports/lint.js';
