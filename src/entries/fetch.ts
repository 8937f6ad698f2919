export {
  type FetchCall,
  type FetchGuardOptions,
  type GuardContext,
  guard,
  notFound,
  responseTo,
} from '../transports/fetch.js';
