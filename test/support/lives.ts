import type { Principal } from 'postern';
import type { TestPostern } from 'postern/testing';

/** Every right of a developer. */
export const all = { developer: { scopes: ['*'] } } as const;

/** Lets the event loop turn, which the memory store alone would not. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

export async function principalOf(postern: TestPostern['postern'], token: string): Promise<Principal> {
  const answer = await postern.authenticate(token);
  if (!answer.ok) throw new Error(answer.reason);
  return answer.principal as Principal;
}

/** A token that ends in an hour, and its principal. */
export async function shortLived({ postern }: TestPostern) {
  const { token, record } = await postern.tokens.create({ name: 'short', types: all, owner: 'ann', expiresIn: '1h' });
  const principal = await principalOf(postern, token);
  return { token, record, principal, hers: postern.as(principal as never) };
}
