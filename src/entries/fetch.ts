export {
  type FetchCall,
  type FetchGuardOptions,
  type GuardContext,
  guard,
  leaseOf,
  notFound,
  responseTo,
} from '../transports/fetch.js';
export type { Lease } from '../transports/lease.js';
