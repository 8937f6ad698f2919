import type { Actor } from '../../ports/changes.js';

/** Whether an actor has this name: an owner, the id of a token, or `application`. An owner may be named `application` too. */
export function isBy(actor: Actor, name: string): boolean {
  return actor.kind === 'application' ? name === actor.kind : actor.owner === name || actor.tokenId === name;
}
