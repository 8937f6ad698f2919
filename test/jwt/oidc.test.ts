import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import express from 'express';
import { fastify } from 'fastify';
import { createPostern, memoryStore, type PosternEvent } from 'postern';
import { guard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { guard as fetchGuard } from 'postern/fetch';
import { type TrustedIssuerOptions, trustedIssuer } from 'postern/jwt';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { claimedScopes } from '../../src/jwt/claimed-scopes.js';
import { JWKS, METADATA, type OidcServer, startOidc } from './support/oidc.js';

const RESOURCE = 'https://api.example';
const SCOPES = ['models:read', 'models:write', 'reports'] as const;
const MINUTE = 60_000;

let oidc: OidcServer;
beforeAll(async () => {
  oidc = await startOidc({ resource: RESOURCE, scopes: SCOPES });
});
afterAll(() => oidc.down());
beforeEach(() => oidc.up());

/** An instance that trusts the provider, with a clock that runs and can be advanced. */
function setUp(options: Partial<TrustedIssuerOptions> = {}) {
  const events: PosternEvent[] = [];
  const clock = { ahead: 0 };
  const postern = createPostern({
    store: memoryStore(),
    clock: () => Date.now() + clock.ahead,
    onEvent: (event) => events.push(event),
    authenticators: [
      trustedIssuer({
        issuer: oidc.issuer,
        audience: RESOURCE,
        principal: (claims) => {
          const scopes = claimedScopes(claims, ['models:read', 'models:write']);
          return scopes.length === 0 ? null : { owner: claims.sub, types: { developer: { scopes } } };
        },
        ...options,
      }),
    ],
  });
  onTestFinished(() => postern.close());
  const reasonOf = async (token: string, scope: 'models:read' | 'models:write' = 'models:read') => {
    const decision = await postern.authorize({ token, requirement: { scope } });
    return decision.allowed ? 'allowed' : decision.reason;
  };
  return { postern, clock, events, reasonOf };
}

/** The number of fetches of the keys since the last call. */
function keyFetches(): () => number {
  const before = oidc.count(JWKS);
  return () => oidc.count(JWKS) - before;
}

describe('an access token of a real provider', () => {
  it.each(['RS256', 'ES256', 'EdDSA'] as const)('is allowed its own scopes only (%s)', async (alg) => {
    const { postern, reasonOf } = setUp();
    const token = await oidc.token('models:read reports', alg);
    expect(await reasonOf(token)).toBe('allowed');
    expect(await reasonOf(token, 'models:write')).toBe('scope_missing');
    expect(await postern.authenticate(token)).toMatchObject({
      ok: true,
      principal: { owner: 'ci', types: { developer: { scopes: ['models:read'] } } },
    });
  });

  it('is refused if the application grants it nothing', async () => {
    expect(await setUp().reasonOf(await oidc.token('reports'))).toBe('token_unknown');
  });

  it('is refused for another audience and by another issuer', async () => {
    const token = await oidc.token('models:read');
    expect(await setUp({ audience: 'https://other.example' }).reasonOf(token)).toBe('token_unknown');
    const elsewhere = { issuer: 'https://login.example', jwks: `${oidc.issuer}${JWKS}` };
    expect(await setUp(elsewhere).reasonOf(token)).toBe('token_unknown');
  });

  it('ends at its exp', async () => {
    const { clock, reasonOf } = setUp();
    const token = await oidc.token('models:read');
    expect(await reasonOf(token)).toBe('allowed');
    clock.ahead = 10 * MINUTE + 6_000;
    expect(await reasonOf(token)).toBe('token_expired');
  });

  it('is verified with keys fetched once for many tokens', async () => {
    const { reasonOf } = setUp();
    const fetches = keyFetches();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => oidc.token('models:read')));
    expect(new Set(await Promise.all(tokens.map((token) => reasonOf(token))))).toEqual(new Set(['allowed']));
    expect(fetches()).toBe(1);
  });

  it('is verified with keys at a given address, without discovery', async () => {
    const before = oidc.count(METADATA);
    const { reasonOf } = setUp({ jwks: `${oidc.issuer}${JWKS}` });
    expect(await reasonOf(await oidc.token('models:read'))).toBe('allowed');
    expect(oidc.count(METADATA)).toBe(before);
  });
});

describe('a rotation at the provider', () => {
  it('is noticed with the first token of a new key, and old tokens still work', async () => {
    const { clock, reasonOf } = setUp();
    const old = await oidc.token('models:read', 'ES256');
    expect(await reasonOf(old)).toBe('allowed');
    await oidc.rotate();
    const fresh = await oidc.token('models:read', 'ES256');
    clock.ahead = 30_000;
    expect(await reasonOf(fresh)).toBe('allowed');
    expect(await reasonOf(old)).toBe('allowed');
    expect(await reasonOf(await oidc.token('models:write', 'EdDSA'))).toBe('allowed');
  });

  it('ends tokens of a withdrawn key at maxAge', async () => {
    const { clock, reasonOf } = setUp({ maxAge: '1m' });
    const token = await oidc.token('models:read');
    expect(await reasonOf(token)).toBe('allowed');
    await oidc.rotate({ keepOld: false });
    expect(await reasonOf(token)).toBe('allowed');
    clock.ahead = MINUTE;
    expect(await reasonOf(token)).toBe('token_unknown');
  });
});

describe('a provider that is down', () => {
  it('makes tokens unavailable before the first keys, until it is back', async () => {
    const token = await oidc.token('models:read');
    await oidc.down();
    const { clock, postern, reasonOf } = setUp();
    const decision = await postern.authorize({ token, requirement: { scope: 'models:read' } });
    expect(decision).toMatchObject({ allowed: false, reason: 'unavailable', cause: 'issuer' });
    await oidc.up();
    clock.ahead = 30_000;
    expect(await reasonOf(token)).toBe('allowed');
  });

  it('does not affect tokens of cached keys for their bounded time', async () => {
    const { clock, events, reasonOf } = setUp({ maxAge: '1m', staleIfUnavailable: '2m' });
    const [first, second] = [await oidc.token('models:read'), await oidc.token('models:write')];
    expect(await reasonOf(first)).toBe('allowed');
    await oidc.down();
    expect(await reasonOf(second)).toBe('allowed');
    clock.ahead = 2 * MINUTE;
    expect([await reasonOf(first), await reasonOf(second)]).toEqual(['allowed', 'allowed']);
    expect(events.filter(({ type }) => type === 'fault')).toHaveLength(1);
    clock.ahead = 3 * MINUTE;
    expect([await reasonOf(first), await reasonOf(second)]).toEqual(['unavailable', 'unavailable']);
    await oidc.up();
    clock.ahead = 4 * MINUTE;
    expect([await reasonOf(first), await reasonOf(second)]).toEqual(['allowed', 'allowed']);
  });
});

describe('a guard with a token of a real provider', () => {
  const requirement = { scope: 'models:read' } as const;
  const reply = { ok: true };

  it.each<[string, (postern: ReturnType<typeof setUp>['postern']) => Promise<string>]>([
    [
      'Express',
      async (postern) => {
        const app = express().get('/models', guard(postern, requirement), (_request, response) => {
          response.json(reply);
        });
        return addressOf(createServer(app).listen(0, '127.0.0.1'));
      },
    ],
    [
      'Fastify',
      async (postern) => {
        const app = fastify();
        await app.register(posternPlugin, { postern });
        app.get('/models', { config: { requirement } }, () => reply);
        onTestFinished(() => app.close());
        return app.listen({ port: 0, host: '127.0.0.1' });
      },
    ],
    [
      'fetch',
      async (postern) => {
        const fetch = fetchGuard(postern, requirement, () => Response.json(reply));
        return addressOf(serve({ fetch, port: 0, hostname: '127.0.0.1' }) as Server);
      },
    ],
  ])('of %s lets it in, and answers an outage with 503, not 401', async (_, listen) => {
    const { postern, clock } = setUp({ staleIfUnavailable: 0 });
    const url = `${await listen(postern)}/models`;
    const call = async (token: string) => {
      const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
      await response.text();
      return [response.status, response.headers.get('WWW-Authenticate'), response.headers.get('Retry-After')];
    };
    const token = await oidc.token('models:read');
    expect(await call(token)).toEqual([200, null, null]);
    expect(await call(await oidc.token('reports'))).toEqual([401, expect.stringContaining('invalid_token'), null]);
    await oidc.down();
    clock.ahead = 9.9 * MINUTE;
    expect(await call(token)).toEqual([200, null, null]);
    clock.ahead = 10 * MINUTE;
    expect(await call(token)).toEqual([503, null, expect.any(String)]);
  });
});

async function addressOf(server: Server): Promise<string> {
  if (!server.listening) await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
