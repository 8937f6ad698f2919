import { Leavers } from '../managing/leavers.js';
import type { Caller } from './caller.js';
import type { Context } from './context.js';
import { unauthorized } from './http/problem.js';

/** How often an owner's tokens were ended. Work that began before the last time must not be finished. */
export async function timesEnded({ ground }: Context, organization: string, owner: string | null): Promise<number> {
  return owner === null ? 0 : (await new Leavers(ground).standing(organization, owner)).times;
}

/**
 * Reads the body of a person's change. A body may take long: if the person left meanwhile, the change is refused.
 *
 * @throws Problem 401
 */
export async function readFrom<Body>(
  context: Context,
  { principal }: Caller,
  read: () => Promise<Body>,
): Promise<Body> {
  const { organization, owner } = principal;
  const before = await timesEnded(context, organization, owner);
  const body = await read();
  if ((await timesEnded(context, organization, owner)) === before) return body;
  throw unauthorized('access_denied', 'Your tokens were ended while this request was sent: sign in again.');
}
