import { Leavers } from '../managing/leavers.js';
import type { Context } from './context.js';

/** Names the last time that an owner's tokens were ended. What began before it is not finished: `endedSince`. */
export async function lastEnded(
  { ground }: Context,
  organization: string,
  owner: string | null,
): Promise<string | null> {
  return owner === null ? null : (await new Leavers(ground).standing(organization, owner)).last;
}
