import { Leavers } from '../managing/leavers.js';
import type { Context } from './context.js';

/** Identifies the last time that an owner's tokens were ended. Work that began before it must not be finished: `endedSince`. */
export async function lastEnded(
  { ground }: Context,
  organization: string,
  owner: string | null,
): Promise<string | null> {
  return owner === null ? null : (await new Leavers(ground).standing(organization, owner)).last;
}
