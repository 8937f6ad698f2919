import { createPostern, memoryStore } from 'postern';
import { guard } from 'postern/fetch';
import { accessTokens, derive } from 'postern/jwt';
import type { Reached } from '../../transports/fetch-apps.js';
import type { World } from '../../transports/world.js';

export const ISSUER = { issuer: 'https://auth.example', audience: 'https://api.example' };

/** The world of the cases, and the commands that another process gives it. */
export function controlled(world: World): { reached: Reached; answer(url: URL): Promise<unknown> } {
  let reached: unknown[] = [];
  const commands: Readonly<Record<string, (query: URLSearchParams) => unknown>> = {
    '/-/tokens': () => world.tokens,
    '/-/store': (query) => world.storeIsDown(query.get('down') === 'true'),
    '/-/reached': () => {
      const calls = reached;
      reached = [];
      return calls;
    },
    '/-/signed': (query) => signedTokens(query.get('jwks') ?? '', query.get('token') ?? ''),
  };
  return {
    reached: (principal) => reached.push(principal),
    async answer({ pathname, searchParams }) {
      const command = commands[pathname];
      if (command === undefined) throw new Error(`no such command: ${pathname}`);
      return (await command(searchParams)) ?? null;
    },
  };
}

/**
 * An issuer's access token and a derived one in front of the fetch guard: allowed, the wrong scope, a broken signature.
 *
 * @param jwks where the issuer's keys are
 * @param token of the issuer, with the scope `models:read`
 * @returns the statuses
 */
async function signedTokens(jwks: string, token: string): Promise<Record<string, number>> {
  const verifier = accessTokens.verifier({ ...ISSUER, jwks });
  const api = createPostern({ store: memoryStore(), authenticators: [verifier] });
  const own = createPostern({ store: memoryStore() });
  const wide = await own.tokens.create({ name: 'wide', types: { developer: { scopes: ['models:write'] } } });
  const narrow = await derive(wide.token, { scopes: ['models:read'], expiresIn: '5m' });
  const ask = async (postern: typeof own, bearer: string, scope: 'models:read' | 'models:write') => {
    const handler = guard(postern, { scope }, () => new Response('reached'));
    const request = new Request('http://localhost/models', { headers: { authorization: `Bearer ${bearer}` } });
    return (await handler(request)).status;
  };
  const broken = `${token.slice(0, -4)}${token.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
  return {
    allowed: await ask(api, token, 'models:read'),
    wrongScope: await ask(api, token, 'models:write'),
    broken: await ask(api, broken, 'models:read'),
    derived: await ask(own, narrow, 'models:read'),
    derivedWrongScope: await ask(own, narrow, 'models:write'),
  };
}
