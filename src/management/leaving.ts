import { endedSince, Leavers } from '../managing/leavers.js';
import type { Caller } from './caller.js';
import type { Context } from './context.js';
import { unauthorized } from './http/problem.js';

/** Names the last time that an owner's tokens were ended. What began before it is not finished: `endedSince`. */
export async function lastEnded(
  { ground }: Context,
  organization: string,
  owner: string | null,
): Promise<string | null> {
  return owner === null ? null : (await new Leavers(ground).standing(organization, owner)).last;
}

/**
 * Reads what a person sends for a change. They were let in before it came, which may have been long ago: whoever left meanwhile
 * makes nothing.
 *
 * @throws Problem 401
 */
export async function readFrom<Body>(
  context: Context,
  { principal }: Caller,
  read: () => Promise<Body>,
): Promise<Body> {
  const { organization, owner } = principal;
  const before = await lastEnded(context, organization, owner);
  const body = await read();
  if (!endedSince(before, await lastEnded(context, organization, owner))) return body;
  throw unauthorized('access_denied', 'Your tokens were ended while this was sent: sign in again.');
}
