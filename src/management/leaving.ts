import { Leavers } from '../managing/leavers.js';
import type { Context } from './context.js';

/** How often an owner's tokens were ended. What began before the last time is not finished. */
export async function timesEnded({ ground }: Context, organization: string, owner: string | null): Promise<number> {
  return owner === null ? 0 : (await new Leavers(ground).standing(organization, owner)).times;
}
