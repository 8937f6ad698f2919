import type { Holding } from '../deciding/holding.js';
import { Leases } from '../deciding/leases.js';

/** The leases of an instance. Only the entries of transports come here, so only they load the code. */
export function leasesOf(holding: Holding): Leases {
  holding.leases ??= new Leases(holding);
  return holding.leases;
}
