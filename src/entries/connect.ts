export {
  type ConnectGuard,
  type ConnectGuardOptions,
  type ConnectRequest,
  type ConnectRequirements,
  guard,
  lintRoutes,
  principalOf,
} from '../transports/connect.js';
export type { Finding } from '../transports/lint.js';
