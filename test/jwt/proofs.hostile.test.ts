import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { memoryStore, type Postern } from 'postern';
import { guard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { dpopProof } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { proofVerifier, thumbprintOf } from '../../src/jwt/dpop.js';
import { jwt, scripted, vouch } from '../support/authenticator.js';
import { refusal, START, verdict } from '../support/outcomes.js';
import { send } from '../transports/http-client.js';
import { serve } from '../transports/support.js';

const ORIGIN = 'https://api.acme.dev';
const TOKEN = jwt('bound');

async function holder(store = memoryStore()) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = (await exportJWK(privateKey)) as JWK & Record<string, unknown>;
  const jkt = await thumbprintOf(key);
  const rules = { jkt, token: TOKEN, origins: [ORIGIN], store };
  const proofFor = (path: string, method = 'GET') =>
    dpopProof({ accessToken: TOKEN, method, url: `${ORIGIN}${path}`, key, clock: () => START });
  return { key, jkt, store, proofFor, verify: proofVerifier(rules), elsewhere: proofVerifier(rules) };
}

describe('a proof of possession sent again', () => {
  test('is refused if the first was checked for a purpose that is not known', async () => {
    const { verify, proofFor } = await holder();
    const presentation = { method: 'GET', proof: { jwt: await proofFor('/models'), target: '/models' } };
    // An instance of another version may ask so.
    expect(await verify(presentation, START, true as never)).toBe(true);
    expect(await verify(presentation, START, true as never)).toBe(false);
  });

  test('is refused by a process with a slow clock, also after a fast one removed ended entries', async () => {
    const { verify, elsewhere, proofFor, store } = await holder();
    const presentation = { method: 'GET', proof: { jwt: await proofFor('/models'), target: '/models' } };
    expect(await verify(presentation, START)).toBe(true);
    // Each write removes some ended entries by the clock of its process, which is five seconds ahead.
    for (let write = 0; write < 20; write++) {
      const entry = { kind: 'proof', id: `other-${write}`, value: '', version: 1, expiresAt: START + 1e9 };
      await store.putEntry(entry, 0, START + 64_000);
    }
    expect(await elsewhere(presentation, START + 59_000)).toBe(false);
  });

  test('is stored with an end, so stored proofs do not pile up', async () => {
    const { verify, proofFor, store } = await holder();
    const ends: (number | null)[] = [];
    const { putEntry } = store;
    store.putEntry = (entry, ...rest) => {
      ends.push(entry.expiresAt);
      return putEntry.call(store, entry, ...rest);
    };
    await verify({ method: 'GET', proof: { jwt: await proofFor('/models'), target: '/models' } }, START);
    expect(ends).toEqual([START + 120_000]);
  });
});

describe('a proof for one address', () => {
  test.each([
    '/a/../b',
    '/a/..%2Fb/../b',
    '/a/%2e%2e/b',
    '/a/%2E./b',
    '/./b',
    '/%2e/b',
    '/x\\..\\b',
    '/a/../b?x=/',
    `${ORIGIN}/a/../b`,
  ])('is refused for %s, which a router takes unchanged', async (target) => {
    const { verify, proofFor } = await holder();
    expect(await verify({ method: 'GET', proof: { jwt: await proofFor('/b'), target } }, START)).toBe(false);
    expect(await verify({ method: 'GET', proof: { jwt: await proofFor('/b'), target: '/b' } }, START)).toBe(true);
  });

  test.each([
    ['/b/..c', '/b/..c'],
    ['/b/.well-known', '/b/.well-known'],
    ['/b', '/b?next=/a/../c'],
    ['/b', '/b?x=\\'],
    ['/b/...', '/b/...'],
  ])('for %s is accepted for %s: dots inside names and queries are no path steps', async (path, target) => {
    const { verify, proofFor } = await holder();
    expect(await verify({ method: 'GET', proof: { jwt: await proofFor(path), target } }, START)).toBe(true);
  });
});

/** Servers with one handler under two prefixes, and one without a prefix. The address the client used counts. */
const servers: Record<string, (postern: Postern) => Promise<number>> = {
  async Express(postern) {
    const inner = express.Router();
    inner.get('/models', guard(postern, { scope: 'models:read' }), (_, response) => void response.json('ok'));
    const app = express();
    app.use('/v1', inner);
    app.use('/v2', express().use(inner));
    app.use(inner);
    return serve(app);
  },
  async 'Express that rewrites addresses'(postern) {
    const app = express();
    app.use((request, _, next) => {
      request.url = request.url.replace(/^\/v[12]/, '');
      next();
    });
    app.get('/models', guard(postern, { scope: 'models:read' }), (_, response) => void response.json('ok'));
    return serve(app);
  },
  async 'Fastify with prefixes'(postern) {
    const app = fastify();
    await app.register(posternPlugin, { postern });
    for (const prefix of ['/v1', '/v2', '']) {
      await app.register(
        async (scope) => {
          scope.get('/models', { config: { requirement: { scope: 'models:read' } } }, () => 'ok');
        },
        { prefix },
      );
    }
    await app.listen({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => app.close());
    return (app.server.address() as AddressInfo).port;
  },
  async 'Fastify that rewrites addresses'(postern) {
    const app = fastify({ rewriteUrl: ({ url = '' }) => url.replace(/^\/v[12]/, '') });
    await app.register(posternPlugin, { postern });
    app.get('/models', { config: { requirement: { scope: 'models:read' } } }, () => 'ok');
    await app.listen({ port: 0, host: '127.0.0.1' });
    onTestFinished(() => app.close());
    return (app.server.address() as AddressInfo).port;
  },
};

describe('two routes with one handler', () => {
  test.each(Object.keys(servers))('on %s need a proof each', async (name) => {
    const { verify, proofFor } = await holder();
    const { authenticator } = scripted(() => vouch({ prove: verify }));
    const { postern } = createTestPostern({ authenticators: [authenticator] });
    const port = await (servers[name] as (typeof servers)[string])(postern);
    const call = async (path: string, proof: string) => {
      const headers = [['Authorization', `DPoP ${TOKEN}`] as const, ['DPoP', proof] as const];
      return (await send(port, { path, headers })).status;
    };
    for (const path of ['/v1/models', '/v2/models', '/models']) {
      for (const other of ['/v1/models', '/v2/models', '/models'].filter((each) => each !== path)) {
        expect(await call(other, await proofFor(path)), `${path} at ${other}`).toBe(401);
      }
      expect(await call(path, await proofFor(path)), path).toBe(200);
    }
  });
});

describe('explain with a proof', () => {
  test('does not use it up, and tells if it was used up', async () => {
    const { verify, proofFor } = await holder();
    const { authenticator } = scripted(() => vouch({ prove: verify }));
    const { postern } = createTestPostern({ authenticators: [authenticator] });
    const proof = { jwt: await proofFor('/models'), target: '/models' };
    const attempt = { token: TOKEN, method: 'GET', proof, requirement: { scope: 'models:read' } } as const;
    const explained = async () => verdict((await postern.explain(attempt)).decision);
    expect([await explained(), await explained()]).toEqual(['allowed', 'allowed']);
    expect(verdict(await postern.authorize(attempt))).toBe('allowed');
    expect([await explained(), verdict(await postern.authorize(attempt))]).toEqual(['proof_invalid', 'proof_invalid']);
  });
});

describe('dpopProof', () => {
  test('refuses unknown options, and values that can not make a proof', async () => {
    const { key } = await holder();
    const good = { accessToken: TOKEN, method: 'GET', url: ORIGIN, key };
    for (const [options, code, path] of [
      [{ ...good, nonce: 'x' }, 'option_unknown', 'nonce'],
      [{ ...good, accessToken: '' }, 'option_invalid', 'accessToken'],
      [{ ...good, method: '' }, 'option_invalid', 'method'],
      [{ ...good, url: '/models' }, 'option_invalid', 'url'],
      [{ ...good, key: null }, 'option_invalid', 'key'],
      [{ ...good, key: { ...key, d: undefined } }, 'option_invalid', 'key'],
      [{ ...good, algorithm: 'HS256' }, 'option_invalid', 'algorithm'],
      [{ ...good, clock: 5 }, 'option_invalid', 'clock'],
      [null, 'option_invalid', undefined],
    ] as const) {
      const { message, ...rest } = await refusal(dpopProof(options as never));
      expect(rest, JSON.stringify(options)).toEqual({ code, path });
      expect(message).not.toContain(key.d);
    }
  });
});
