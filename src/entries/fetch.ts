export { type FetchCall, type FetchGuardOptions, type GuardContext, guard, notFound } from '../transports/fetch.js';
