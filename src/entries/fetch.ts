export {
  type FetchCall,
  type FetchGuardOptions,
  type GuardContext,
  guard,
  leaseOf,
  notFound,
} from '../transports/fetch.js';
export type { Lease } from '../transports/lease.js';
