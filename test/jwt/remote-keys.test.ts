import { testClock } from 'postern/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { ALGORITHMS } from '../../src/jwt/algorithms.js';
import { keyServerSettings, remoteKeys } from '../../src/jwt/remote-keys.js';
import { type KeyServer, keyServer } from './support/key-server.js';
import { type IssuerKey, issuerKey } from './support/tokens.js';

const DEFAULTS = keyServerSettings({}, 'test');
const SECOND = 1_000;
const MINUTE = 60_000;
const JWKS = '/jwks';
const METADATA = '/.well-known/openid-configuration';

let old: IssuerKey;
let next: IssuerKey;
beforeAll(async () => {
  [old, next] = await Promise.all([issuerKey('EdDSA', 'old'), issuerKey('EdDSA', 'next')]);
});

type Given = Parameters<typeof keyServerSettings>[0];

function keysOf(server: KeyServer, given: Given = {}) {
  const clock = testClock();
  const faults: unknown[] = [];
  const keys = remoteKeys({
    server: new URL(`${server.origin}${JWKS}`),
    settings: keyServerSettings(given, 'test'),
    algorithms: ALGORITHMS,
    clock: clock.now,
    onFault: (error) => faults.push(error),
  });
  const find = (kid: string | null) => keys.find({ alg: 'EdDSA', kid });
  return { clock, faults, find, keys };
}

const serving = (...keys: IssuerKey[]) => keyServer({ [JWKS]: { keys: keys.map(({ jwk }) => jwk) } });

describe('remote keys', () => {
  it('are fetched at their first use, once for all concurrent calls', async () => {
    const server = await serving(old);
    const { find } = keysOf(server);
    expect(server.count(JWKS)).toBe(0);
    const found = await Promise.all(Array.from({ length: 50 }, () => find('old')));
    expect(new Set(found).size).toBe(1);
    expect(found[0]).toHaveProperty('type', 'public');
    expect(server.count(JWKS)).toBe(1);
  });

  it('are fetched again at maxAge, and withdrawn keys are gone then', async () => {
    const server = await serving(old);
    const { find, clock } = keysOf(server);
    await find('old');
    server.answers.set(JWKS, { keys: [next.jwk] });
    clock.advance(10 * MINUTE - 1);
    expect(await find('old')).not.toBeNull();
    expect(server.count(JWKS)).toBe(1);
    clock.advance(1);
    expect(await find('old')).toBeNull();
    expect(server.count(JWKS)).toBe(2);
  });

  it('are fetched again for an unknown kid, so a rotation is noticed at once', async () => {
    const server = await serving(old);
    const { find } = keysOf(server);
    await find('old');
    server.answers.set(JWKS, { keys: [old.jwk, next.jwk] });
    expect(await find('next')).not.toBeNull();
    expect(await find('old')).not.toBeNull();
    expect(server.count(JWKS)).toBe(2);
  });

  it('are fetched for unknown kids at most once in each cool-down', async () => {
    const server = await serving(old);
    const { find, clock } = keysOf(server);
    const flood = (from: number) =>
      Promise.all(Array.from({ length: 1_000 }, (_, index) => find(`invented-${from + index}`)));
    // They were read for this very flood.
    expect(new Set(await flood(0))).toEqual(new Set([null]));
    expect(server.count(JWKS)).toBe(1);
    await flood(1_000);
    expect(server.count(JWKS)).toBe(2);
    clock.advance(30 * SECOND - 1);
    await flood(2_000);
    expect(server.count(JWKS)).toBe(2);
    clock.advance(1);
    await flood(3_000);
    for (let i = 0; i < 1_000; i++) await find(`one-by-one-${i}`);
    expect(server.count(JWKS)).toBe(3);
    expect(await find('old')).not.toBeNull();
  });

  it('are not fetched for an algorithm that is not accepted', async () => {
    const server = await serving(old);
    const keys = remoteKeys({ server: new URL(`${server.origin}${JWKS}`), settings: DEFAULTS, algorithms: ['ES256'] });
    expect(await keys.find({ alg: 'EdDSA', kid: 'old' })).toBeNull();
    expect(await keys.find({ alg: 'HS256', kid: 'old' })).toBeNull();
    expect(server.count(JWKS)).toBe(0);
  });
});

describe('a key server that is down', () => {
  it('makes tokens unavailable without cached keys, and is asked once in each cool-down', async () => {
    const server = await serving(old);
    await server.down();
    const { find, clock } = keysOf(server);
    const asked = await Promise.allSettled(Array.from({ length: 100 }, () => find('old')));
    expect(asked.every(({ status }) => status === 'rejected')).toBe(true);
    await expect(find('old')).rejects.toThrow(/could not be reached/);
    await server.up();
    await expect(find('old')).rejects.toThrow(/could not be reached/);
    clock.advance(30 * SECOND);
    expect(await find('old')).not.toBeNull();
    expect(server.count(JWKS)).toBe(1);
  });

  it('does not affect cached keys for an hour beyond maxAge', async () => {
    const server = await serving(old);
    const { find, clock, faults } = keysOf(server);
    await find('old');
    await server.down();
    clock.advance(10 * MINUTE);
    expect(await find('old')).not.toBeNull();
    expect(faults).toHaveLength(1);
    clock.advance(60 * MINUTE - 1);
    expect(await find('old')).not.toBeNull();
    clock.advance(1);
    await expect(find('old')).rejects.toThrow(/could not be reached/);
    await server.up();
    clock.advance(30 * SECOND);
    expect(await find('old')).not.toBeNull();
  });

  it('makes an unknown key unavailable, never unknown', async () => {
    const server = await serving(old);
    const { find } = keysOf(server);
    await find('old');
    await server.down();
    await expect(find('next')).rejects.toThrow(/could not be reached/);
    await expect(find('next')).rejects.toThrow(/could not be reached/);
    expect(await find('old')).not.toBeNull();
  });

  it('is waited for once, and after that cached keys serve at once', async () => {
    const server = await serving(old);
    const { find, clock } = keysOf(server);
    await find('old');
    server.answers.set(JWKS, (_, response) => void response.writeHead(500).end());
    clock.advance(10 * MINUTE);
    await find('old');
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    server.answers.set(JWKS, async (_, response) => {
      await answered;
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ keys: [next.jwk] }));
    });
    clock.advance(MINUTE);
    expect(await find('old')).not.toBeNull();
    expect(await find('old')).not.toBeNull();
    answer();
    expect(await find('next')).not.toBeNull();
    expect(server.count(JWKS)).toBe(3);
    expect(await find('old')).toBeNull();
  });

  it('can be given no extra time beyond maxAge', async () => {
    const server = await serving(old);
    const { find, clock } = keysOf(server, { staleIfUnavailable: 0 });
    await find('old');
    await server.down();
    clock.advance(10 * MINUTE);
    await expect(find('old')).rejects.toThrow(/could not be reached/);
  });

  it('is not hidden by a clock that is set back', async () => {
    const server = await serving(old);
    const { find, clock } = keysOf(server);
    await find('old');
    server.answers.set(JWKS, { keys: [next.jwk] });
    clock.advance(-24 * 60 * MINUTE);
    expect(await find('old')).toBeNull();
    expect(server.count(JWKS)).toBe(2);
  });
});

describe('an invalid answer of a key server', () => {
  const json = { 'Content-Type': 'application/json' };
  it.each<[string, number, Record<string, string>, string | Buffer, RegExp]>([
    ['an error status', 503, json, '{"keys":[]}', /status 503/],
    ['a redirect', 302, { ...json, Location: '/elsewhere' }, '{"keys":[]}', /status 302/],
    ['an HTML page', 200, { 'Content-Type': 'text/html' }, '<!doctype html>', /something else than JSON/],
    ['a body that is not JSON', 200, json, '{"keys":', /something else than JSON/],
    ['a body that is not UTF-8', 200, json, Buffer.from([0x22, 0xff, 0x22]), /something else than JSON/],
    ['a list', 200, json, '[]', /something else than a JSON Web Key Set/],
    ['null', 200, json, 'null', /something else than a JSON Web Key Set/],
    ['keys that are not a list', 200, json, '{"keys":{}}', /something else than a JSON Web Key Set/],
    ['more than 1 MiB', 200, json, `{"keys":["${'x'.repeat(1_048_576)}"]}`, /more than 1 MiB/],
  ])('makes tokens unavailable: %s', async (_, status, headers, body, problem) => {
    const server = await keyServer({
      [JWKS]: (_request, response) => void response.writeHead(status, headers).end(body),
      '/elsewhere': { keys: [old.jwk] },
    });
    const { find } = keysOf(server);
    await expect(find('old')).rejects.toThrow(problem);
    expect(server.count('/elsewhere')).toBe(0);
  });

  it('makes tokens unavailable: a body without an end', async () => {
    const server = await keyServer({
      [JWKS]: (_request, response) => {
        response.writeHead(200, json);
        const more = () => void (response.writable && response.write(' '.repeat(65_536), more));
        more();
      },
    });
    await expect(keysOf(server).find('old')).rejects.toThrow(/more than 1 MiB/);
  });

  it('makes tokens unavailable: silence beyond the timeout, also if fetch ignores its signal', async () => {
    const server = await keyServer({ [JWKS]: () => {} });
    await expect(keysOf(server, { timeout: 20 }).find('old')).rejects.toThrow(/within 20 ms/);
    const deaf = keysOf(server, { timeout: 20, fetch: () => new Promise(() => {}) });
    await expect(deaf.find('old')).rejects.toThrow(/within 20 ms/);
  });

  it('is reported with the address, but without its query', async () => {
    const server = await keyServer();
    const keys = remoteKeys({
      server: new URL(`${server.origin}/nothing?key=canary`),
      settings: DEFAULTS,
      algorithms: ALGORITHMS,
    });
    const error = await Promise.resolve(keys.find({ alg: 'EdDSA', kid: 'old' })).catch((reason: Error) => reason);
    expect(String(error)).toContain(`${server.origin}/nothing answered with status 404`);
    expect(String(error)).not.toContain('canary');
  });
});

it.each([
  ['its own media type', { 'Content-Type': 'application/jwk-set+json; charset=utf-8' }],
  ['text/plain', { 'Content-Type': 'text/plain' }],
  ['application/octet-stream', { 'Content-Type': 'application/octet-stream' }],
  ['no media type', {}],
])('a key set under %s is read', async (_, headers: Record<string, string>) => {
  const body = JSON.stringify({ keys: [old.jwk] });
  const server = await keyServer({
    [JWKS]: (_request, response) => void response.writeHead(200, headers).end(body),
  });
  expect(await keysOf(server).find('old')).not.toBeNull();
});

describe('discovery', () => {
  const discovering = (issuer: string, given: Given = {}) =>
    remoteKeys({ server: issuer, settings: keyServerSettings(given, 'test'), algorithms: ALGORITHMS }).find({
      alg: 'EdDSA',
      kid: 'old',
    });

  it('finds the keys named by the issuer', async () => {
    const server = await serving(old);
    server.answers.set(METADATA, { issuer: server.origin, jwks_uri: `${server.origin}${JWKS}` });
    expect(await discovering(server.origin)).not.toBeNull();
  });

  it('finds the metadata of an issuer with a path, with or without a slash at its end', async () => {
    const server = await serving(old);
    for (const issuer of [`${server.origin}/tenant`, `${server.origin}/tenant/`]) {
      server.answers.set(`/tenant${METADATA}`, { issuer, jwks_uri: `${server.origin}${JWKS}` });
      expect(await discovering(issuer)).not.toBeNull();
    }
  });

  it.each<[string, (origin: string) => object | null]>([
    ['of another issuer', (origin) => ({ issuer: 'https://evil.example', jwks_uri: `${origin}${JWKS}` })],
    ['of an issuer with one more slash', (origin) => ({ issuer: `${origin}/`, jwks_uri: `${origin}${JWKS}` })],
    ['without an issuer', (origin) => ({ jwks_uri: `${origin}${JWKS}` })],
    ['without keys', (origin) => ({ issuer: origin })],
    ['with keys over http on another host', (origin) => ({ issuer: origin, jwks_uri: 'http://keys.example/jwks' })],
    ['with keys in a file', (origin) => ({ issuer: origin, jwks_uri: 'file:///etc/jwks' })],
    ['with keys at an invalid address', (origin) => ({ issuer: origin, jwks_uri: 7 })],
    ['of null', () => null],
  ])('makes tokens unavailable with a document %s', async (_, document) => {
    const server = await serving(old);
    const body = JSON.stringify(document(server.origin));
    server.answers.set(
      METADATA,
      (_request, response) => void response.writeHead(200, { 'Content-Type': 'application/json' }).end(body),
    );
    await expect(discovering(server.origin)).rejects.toThrow(/the metadata of/);
    expect(server.count(JWKS)).toBe(0);
  });

  it('does not let an https issuer name keys on this machine', async () => {
    const server = await serving(old);
    const fetch = async () => Response.json({ issuer: 'https://login.example', jwks_uri: `${server.origin}${JWKS}` });
    await expect(discovering('https://login.example', { fetch })).rejects.toThrow(/no jwks_uri behind https/);
    expect(server.count(JWKS)).toBe(0);
  });
});
