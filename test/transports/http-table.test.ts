import type { DenialReason } from 'postern';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CASES, type Case } from './cases.js';
import { type RawAnswer, send } from './http-client.js';
import { BY_HAND, HTTP_SERVERS, INSIDE, type Running } from './http-servers.js';
import { createWorld, type World } from './world.js';

/** The HTTP columns of docs/contract.md, written a second time: status, challenge after the realm, other headers. */
const EXPECTED: Readonly<Record<DenialReason, { status: number; challenge: string | null; retryAfter?: string }>> = {
  token_missing: { status: 401, challenge: '' },
  token_malformed: { status: 400, challenge: ', error="invalid_request"' },
  token_unknown: { status: 401, challenge: ', error="invalid_token"' },
  token_expired: { status: 401, challenge: ', error="invalid_token", error_description="The token has expired"' },
  token_revoked: { status: 401, challenge: ', error="invalid_token", error_description="The token was revoked"' },
  // Cases with a proof are in test/jwt/dpop.test.ts.
  proof_invalid: { status: 401, challenge: ', error="invalid_dpop_proof"' },
  scope_missing: { status: 403, challenge: ', error="insufficient_scope", scope="SCOPES"' },
  endpoint_not_granted: { status: 403, challenge: ', error="insufficient_scope"' },
  endpoint_unknown: { status: 404, challenge: null },
  endpoint_private: { status: 404, challenge: null },
  requirement_missing: { status: 403, challenge: null },
  rate_limited: { status: 429, challenge: null },
  unavailable: { status: 503, challenge: null, retryAfter: '5' },
  internal_error: { status: 500, challenge: null },
};

describe.each(Object.entries(HTTP_SERVERS))('the guard of %s', (name, start) => {
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

  const applicable = CASES.filter(
    ({ notOver, target }) =>
      !(name === 'fetch' && notOver?.includes('fetch')) &&
      !(BY_HAND.includes(name) && ['throws', 'rejects', 'unknown-scope'].includes(target)),
  );

  it.each(applicable.map((each) => [`${each.name} → ${each.expected}`, each] as const))(
    'answers the case: %s',
    async (_, each) => {
      world.storeIsDown(each.storeDown ?? false);
      const answer = await call(each);
      if (each.expected === 'allowed') {
        expect(answer).toMatchObject({ status: 200, body: 'reached' });
        expect(reached).toHaveLength(1);
        return;
      }
      const { status, challenge, retryAfter } = EXPECTED[each.expected];
      expect(answer.status).toBe(status);
      const scope = each.scopes !== undefined && status === 401 ? `, scope="${each.scopes}"` : '';
      expect(answer.headers['www-authenticate']).toBe(
        challenge === null
          ? undefined
          : `Bearer realm="postern"${challenge.replace('SCOPES', each.scopes ?? '')}${scope}`,
      );
      expect(answer.headers['content-type']).toBe('application/problem+json');
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.headers['retry-after']).toBe(retryAfter);
      const body = JSON.parse(answer.body);
      expect(Object.keys(body)).toEqual(['type', 'title', 'status', 'detail', 'code']);
      expect(body.status).toBe(status);
      expect(answer.body).not.toMatch(/secret detail|ECONNREFUSED|10\.1\.2\.3/);
      expect(reached).toEqual([]);
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
