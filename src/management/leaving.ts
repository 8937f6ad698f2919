import { endedSince, Leavers } from '../managing/leavers.js';
import type { Caller } from './caller.js';
import type { Context } from './context.js';
import { unauthorized } from './http/problem.js';

/** Identifies the last time that an owner's tokens were ended. Work that began before it must not be finished: `endedSince`. */
export async function lastEnded(
  { ground }: Context,
  organization: string,
  owner: string | null,
): Promise<string | null> {
  return owner === null ? null : (await new Leavers(ground).standing(organization, owner)).last;
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
  const before = await lastEnded(context, organization, owner);
  const body = await read();
  if (!endedSince(before, await lastEnded(context, organization, owner))) return body;
  throw unauthorized('access_denied', 'Your tokens were ended while this request was sent: sign in again.');
}
