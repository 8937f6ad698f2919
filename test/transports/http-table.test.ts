import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CASES, type Case } from './cases.js';
import { GATEWAY_SERVERS } from './gateway-servers.js';
import { type RawAnswer, send } from './http-client.js';
import { assertAnswered } from './http-expected.js';
import { HTTP_SERVERS, INSIDE, type Running } from './http-servers.js';
import { isOffered } from './targets.js';
import { createWorld, type World } from './world.js';

describe.each(Object.entries({ ...HTTP_SERVERS, ...GATEWAY_SERVERS }))('the guard of %s', (name, start) => {
  let world: World;
  let server: Running;
  let reached: unknown[] = [];

  beforeAll(async () => {
    world = await createWorld();
    server = await start(world.postern, (principal) => reached.push(principal));
  });
  afterAll(() => server.close());
  afterEach(() => {
    world.storeIsDown(false);
    reached = [];
  });

  function call(each: Pick<Case, 'target' | 'authorization' | 'inside'>, method = 'GET'): Promise<RawAnswer> {
    const value = each.authorization(world.tokens);
    const values = value === undefined ? [] : [value].flat();
    return send(server.port, {
      method,
      path: `/${each.target}`,
      headers: [...(server.headers ?? []), ...values.map((value) => ['Authorization', value] as const)],
      ...(each.inside && { from: INSIDE }),
    });
  }

  const applicable = CASES.filter(({ target }) => isOffered(name, target));

  it.each(applicable.map((each) => [`${each.name} → ${each.expected}`, each] as const))(
    'answers the case: %s',
    async (_, each) => {
      world.storeIsDown(each.storeDown ?? false);
      const answer = await call(each);
      assertAnswered(each, answer);
      expect(reached).toHaveLength(each.expected === 'allowed' ? 1 : 0);
    },
  );

  it('passes the principal to the handler, or null if no credential was needed', async () => {
    await call({ target: 'summarizer', authorization: ({ user }) => `Bearer ${user}` });
    await call({ target: 'status', authorization: ({ user }) => `Bearer ${user}` });
    expect(reached).toEqual([expect.objectContaining({ owner: 'user', organization: 'mybentocloud' }), null]);
  });

  it('answers an unknown and a private endpoint with the same bytes', async () => {
    const authorization = () => undefined;
    const unknown = await call({ target: 'nowhere', authorization });
    const hidden = await call({ target: 'metrics', authorization });
    expect(hidden).toEqual(unknown);
    expect(unknown.body).toContain('not_found');
  });

  it.each(['POST', 'HEAD', 'OPTIONS', 'PUT'])('guards %s too', async (method) => {
    const answer = await call({ target: 'summarizer', authorization: () => undefined }, method);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(reached).toEqual([]);
  });
});
