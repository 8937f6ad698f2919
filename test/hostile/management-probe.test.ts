import { createPostern, memoryStore } from 'postern';
import { accessTokens, derive, generateKeys } from 'postern/jwt';
import { memoryRateLimiter } from 'postern/limits';
import { expect, test } from 'vitest';
import { world } from '../management/world.js';

const J = (x: unknown) => console.log(JSON.stringify(x));

test('1 derived widening', async () => {
  const made = await world();
  const low = await made.postern.tokens.create({ name: 'low', owner: 'admin', organization: 'acme', types: { developer: { scopes: ['models:read'] } } } as never);
  const derived = await derive(made.tokens.admin!.token, { scopes: ['iam:write', 'models:write', 'cluster:write'], expiresIn: '1m' , clock: made.clock.read} as never);
  J(await made.ask(`/api/v1/api_tokens/${low.record.id}`, { method: 'PATCH', token: derived, json: { types: { developer: { scopes: ['iam:write', 'cluster:write'] } } } }));
});

test('2 limited', async () => {
  const made = await world({ postern: { rateLimiter: memoryRateLimiter() } });
  const lim = await made.postern.tokens.create({ name: 'lim', owner: 'lim', organization: 'acme', types: { developer: { scopes: ['*'] } }, rateLimit: { points: 10, duration: '1h' } } as never);
  const org = await made.postern.tokens.create({ name: 'org', owner: 'x', ownership: 'organization', organization: 'acme', types: { developer: { scopes: ['models:read'] } } } as never);
  J((await made.ask(`/api/v1/api_tokens`, { method: 'POST', token: lim.token, json: { name: 'x', scopes: ['api'] } })).body);
  J((await made.ask(`/api/v1/api_tokens/${org.record.id}`, { method: 'PATCH', token: lim.token, json: { types: { developer: { scopes: ['*'] } } } })).body);
  J((await made.ask(`/api/v1/api_tokens/${org.record.id}/rotate`, { method: 'POST', token: lim.token, json: {} })).body);
});

test('3 explain', async () => {
  const signed = accessTokens({ issuer: 'https://auth.acme.dev', audience: 'https://api.acme.dev', keys: await generateKeys() });
  const made = await world({ postern: { authenticators: [signed] } });
  const derived = await derive(made.tokens['other-admin']!.token, { scopes: ['models:read'], methods: ['GET'], expiresIn: '1m', clock: made.clock.read } as never);
  for (const requirement of [{ authenticated: true }, { scope: 'models:read' }, {endpoint: 'a'}])
    J((await made.ask('/api/v1/explain', { method: 'POST', token: 'admin', json: { token: derived, requirement } })).body);
  const own = await derive(made.tokens['admin']!.token, { scopes: ['models:read'], methods: ['GET'], expiresIn: '1m', clock: made.clock.read } as never);
  J((await made.ask('/oauth/introspect', { method: 'POST', token: 'admin', form: { token: own } })).body);
  J((await made.ask('/oauth/revoke', { method: 'POST', token: 'admin', form: { token: own } })).body);
  J(await signed.exchange(made.postern as never, own, {}).catch((e) => String(e)));
  const pair = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])) as CryptoKeyPair;
  const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey);
  for (const who of ['admin', 'other-admin']) {
    const bound = await signed.exchange(made.postern as never, made.tokens[who]!.token, { dpopKey: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y } });
    J((await made.ask('/api/v1/explain', { method: 'POST', token: 'admin', json: { token: bound.accessToken, requirement: { authenticated: true } } })).body);
    J((await made.ask('/oauth/introspect', { method: 'POST', token: 'admin', form: { token: bound.accessToken } })).body);
  }
  J((await made.ask('/api/v1/explain', { method: 'POST', token: 'admin', json: { token: 'nonsense', requirement: { authenticated: true } } })).body);
  J((await made.ask('/api/v1/explain', { method: 'POST', token: 'admin', json: { token: `${own.slice(0,-4)}AAAA`, requirement: { authenticated: true } } })).body);
});

test('7 approvals', async () => {
  const made = await world();
  for (const json of [{ name: ' ' }, { name: 'x'.repeat(201) }, { expires_in: '0s' }, { name: 'a\0' }, {scopes: ['api'], types: {user:{endpoints:['a']}}}]) {
    const { code } = (await made.ask('/api/v1/auth/code')).body;
    const a = await made.ask(`/api/v1/auth/requests/${code}/approve`, { method: 'POST', person: 'boss', json });
    const b = await made.ask(`/api/v1/auth/token?code=${code}`);
    J([a.status, a.body.detail, b.status, b.body.detail]);
  }
  // deleted endpoint
  await made.postern.endpoints.delete('a', { organization: 'acme' });
  const { code } = (await made.ask('/api/v1/auth/code')).body;
  J((await made.ask(`/api/v1/auth/requests/${code}/approve`, { method: 'POST', person: 'ada', json: {} })).body);
});

test('16 urls', async () => {
  const made = await world();
  const t = made.tokens.admin!.token;
  J([t.slice(0, 4), (await made.ask(`/api/v1/api_tokens?search=${t.replace('_', '%5F')}`, { token: 'admin' })).status, (await made.ask(`/api/v1/api_tokens?search=${t}`, { token: 'admin' })).status]);
  J([(await made.ask(`/api/v1/api_tokens/${t.replace('p', '%70')}`, { token: 'admin' })).status]);
});

test('12 org token', async () => {
  const made = await world();
  const org = await made.postern.tokens.create({ name: 'org', owner: 'ada', ownership: 'organization', organization: 'acme', types: { developer: { scopes: ['*'] } } } as never);
  J((await made.ask(`/api/v1/api_tokens/${made.tokens.modeller!.id}/rotate`, { method: 'POST', token: org.token, json: {} })).status);
});
