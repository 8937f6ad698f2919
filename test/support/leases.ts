import type { Postern } from 'postern';
import { internalsOf } from '../../src/instance/internals.js';
import { leasesOf as of } from '../../src/instance/leases-of.js';

/** The leases of an instance, to open and count. */
export function leasesOf(postern: Postern | object) {
  return of(internalsOf(postern).holding);
}
