import { describe, expect, it, test } from 'vitest';
import { createPostern, memoryStore } from 'postern';
import { accessTokens, derive, dpopProof, generateKeys, trustedIssuer } from 'postern/jwt';
import { exportJWK, generateKeyPair } from 'jose';
import { createHash } from 'node:crypto';
import { proofVerifier, thumbprintOf } from '../../src/jwt/dpop.js';
import { portableHash, hash } from '../../src/services/digest.js';
import { jwt, scripted, vouch } from '../support/authenticator.js';
import { START, TestClock, instance, verdict, refusal } from '../support/instance.js';
import { API, AUTH, issueBoth, issuerWorld } from '../jwt/support/access.js';
import { issuerKey, signed, ISSUER, AUDIENCE, CLAIMS } from '../jwt/support/tokens.js';

const requirement = { scope: 'models:read' } as const;

test('F1 if-known: another name', async () => {
  const world = issuerWorld();
  const { postern, signed, store, clock } = world;
  await postern.endpoints.create({ id: 'a', access: 'protected' });
  const { token, record } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } } });
  const narrow = await derive(token, { endpoints: ['a'], clock: clock.read });
  const { accessToken } = await signed.exchange(postern, narrow);
  const ask = async (t: string) => verdict(await postern.authorize({ token: t, requirement: { endpoint: 'a' } }));
  expect(await ask(accessToken)).toBe('allowed');
  await postern.tokens.update(record.id, { types: { user: { endpoints: ['a'] } } });
  expect(await ask(accessToken)).toBe('allowed');
  await postern.endpoints.delete('a');
  await postern.endpoints.create({ id: 'a', access: 'protected' });
  expect(await ask(token)).toBe('endpoint_not_granted');
  expect(await ask(accessToken)).toBe('endpoint_not_granted');
});

test.each([[Number.NaN], [Number.POSITIVE_INFINITY], [1e300], [-1e300], ['x'], [undefined]])('F2 vouch expiresAt %s', async (v) => {
  const s = scripted(() => vouch({ expiresAt: v as number }));
  const { postern } = instance({ authenticators: [s.authenticator] });
  const d = await postern.authorize({ token: jwt('a'), requirement });
  const e = await postern.explain({ token: jwt('a'), requirement }).catch(e => ({decision: String(e)}));
  console.log(String(v), verdict(d), e.decision);
});
test('F2 trustedUntil NaN', async () => {
  const s = scripted(() => vouch({ trustedUntil: Number.NaN }));
  const { postern, clock } = instance({ authenticators: [s.authenticator] });
  for (let i=0;i<3;i++) { console.log(verdict(await postern.authorize({ token: jwt('a'), requirement })), s.seen.length); clock.advance(3600_000*24*365); }
});

test('F3 withdrawal', async () => {
  const store = memoryStore(); const clock = new TestClock();
  const a = issuerWorld({}, { store, clock }); const b = issuerWorld({}, { store, clock });
  const { token } = await issueBoth(a);
  const { accessToken } = await a.signed.exchange(a.postern, token);
  const { accessToken: second } = await a.signed.exchange(a.postern, token);
  const ask = async (w: any, t: string) => verdict(await w.postern.authorize({ token: t, requirement }));
  expect(await ask(b, accessToken)).toBe('allowed');
  await a.signed.rotateKeys({ withdraw: true });
  console.log('own process at once, unseen', await ask(a, second));
  clock.advance(59_000);
  console.log('second at 59s', await ask(b, second));
  clock.advance(58_000);
  console.log('second at 117', await ask(b, second));
});

test('F8 hash', () => {
  console.log(Buffer.from(hash('zo\u00eb'), 'latin1').toString('hex') === Buffer.from(portableHash('zo\u00eb'), 'latin1').toString('hex'));
});

test('F9 deleted parent', async () => {
  const world = issuerWorld();
  const { postern, signed, store, clock } = world;
  const { token, record } = await issueBoth(world);
  const { accessToken } = await signed.exchange(postern, token);
  const verifier = accessTokens.verifier({ issuer: AUTH, audience: API, jwks: await signed.jwks() });
  const other = createPostern({ store, clock: clock.read, authenticators: [verifier] });
  const ask = async () => verdict(await other.authorize({ token: accessToken, requirement }));
  console.log(await ask());
  await postern.tokens.delete(record.id);
  console.log('after delete', await ask());
});

test('F6 update by derived', async () => {
  const { postern, clock } = instance();
  const { token } = await postern.tokens.create({ name: 'boss', owner: 'boss', types: { developer: { scopes: ['*'] } } });
  const { token: t2, record } = await postern.tokens.create({ name: 'thief', owner: 'thief', types: { developer: { scopes: ['models:read'] } } });
  const d = await derive(token, { clock: clock.read });
  const auth = await postern.authenticate(d);
  if (!auth.ok) throw new Error();
  await postern.as(auth.principal).tokens.update(record.id, { types: { developer: { scopes: ['*'] } } }).then(() => console.log('WIDENED'), (e) => console.log(e.code));
});

test('F7 imported eyJ', async () => {
  const k = await generateKeys();
  const clock = new TestClock();
  const postern = createPostern({ store: memoryStore(), clock: clock.read, authenticators: [accessTokens({ issuer: AUTH, audience: API, keys: k })], importedTokens: [{ pattern: /^[A-Za-z0-9]{40}$/ }] });
  const t = 'eyJ' + 'a'.repeat(37);
  await postern.tokens.import({ name: 'x', digest: createHash('sha256').update(t).digest('hex'), types: { developer: { scopes: ['models:read'] } } });
  console.log('F7', verdict(await postern.authorize({ token: t, requirement })));
});

test('F10 explain burns', async () => {
  const key = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(key.privateKey);
  const { d: _, ...pub } = jwk;
  const world = issuerWorld(); const { postern, signed, clock } = world;
  const { token } = await issueBoth(world);
  const { accessToken } = await signed.exchange(postern, token, { dpopKey: pub });
  const proof = await dpopProof({ accessToken, method: 'GET', url: `${API}/models`, key: jwk as never, clock: clock.read });
  const attempt = { token: accessToken, method: 'GET', proof: { jwt: proof, target: '/models' }, requirement };
  console.log('explain', (await postern.explain(attempt)).decision);
  console.log('authorize', verdict(await postern.authorize(attempt)));
});

test('F5 targets', async () => {
  const key = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(key.privateKey);
  for (const target of ['/a/%2e%2e/b', '/a/../b', '/./b', '\\b', '/b\\', '/x\\..\\b', '/b?x', '/b#x', '//b', '/%62', 'http://evil/b', '/\t/b', 'javascript:/b', '/b/']) {
    const token = jwt('t');
    const verify = proofVerifier({ jkt: await thumbprintOf(jwk as never), token, origins: [API], store: memoryStore() });
    const proof = await dpopProof({ accessToken: token, method: 'GET', url: `${API}/b`, key: jwk as never, clock: () => START });
    console.log(JSON.stringify(target), await verify({ method: 'GET', proof: { jwt: proof, target } }, START));
  }
});

test('F4 skew', async () => {
  const key = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(key.privateKey);
  const store = memoryStore(); const token = jwt('t');
  const verify = proofVerifier({ jkt: await thumbprintOf(jwk as never), token, origins: [API], store });
  const proof = await dpopProof({ accessToken: token, method: 'GET', url: `${API}/b`, key: jwk as never, clock: () => START });
  const p = { method: 'GET', proof: { jwt: proof, target: '/b' } };
  console.log(await verify(p, START));
  // another process whose clock is 5 s ahead sweeps
  for (let i = 0; i < 3; i++) await store.putEntry({ kind: 'proof', id: `x${i}`, value: '', version: 1, expiresAt: START + 1e6 }, 0, START + 60_001);
  console.log('replay', await verify(p, START + 59_000));
});

test('F14 authenticate with methods', async () => {
  const { postern, clock } = instance();
  const { token } = await postern.tokens.create({ name: 'boss', owner: 'boss', types: { developer: { scopes: ['*'] } } });
  const d = await derive(token, { methods: ['GET'], clock: clock.read });
  console.log(await postern.authenticate(d));
  console.log(await derive(token, { clock: () => NaN }).catch(e => e.code));
});
test('F15 copy of principal', async () => {
  const { postern, clock } = instance();
  const { token } = await postern.tokens.create({ name: 'boss', owner: 'boss', types: { developer: { scopes: ['*'] } } });
  const d = await derive(token, { scopes: ['iam:write', 'models:read'], clock: clock.read });
  const auth = await postern.authenticate(d); if (!auth.ok) throw 1;
  const r = await postern.as({ ...auth.principal }).tokens.create({ name: 'z', types: { developer: { scopes: ['models:read'] } } }).then(() => 'MADE', e => e.code);
  console.log(r);
});
