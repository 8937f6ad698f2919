import { memoryStore } from 'postern';
import { accessTokens, derive, generateKeys, trustedIssuer } from 'postern/jwt';
import { createTestPostern, testClock } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { decodeBase64url, encodeBase64url } from '../../src/domain/base64url.js';
import { verdict } from '../support/outcomes.js';
import { API, AUTH, issueBoth, issuerWorld } from './support/access.js';
import { AUDIENCE, ISSUER, issuerKey, signed as signedBy } from './support/tokens.js';

const requirement = { scope: 'models:read' } as const;
/** The order of the base point of edwards25519 (RFC 8032 section 5.1). */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const principal = () => ({ owner: 'ann', types: { developer: { scopes: ['models:read'] } } });

/** One good token of each kind, and an instance that has cached each. */
async function known() {
  const idp = await Promise.all((['RS256', 'PS256', 'EdDSA'] as const).map((alg) => issuerKey(alg)));
  const people = trustedIssuer({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks: { keys: idp.map(({ jwk }) => jwk) },
    algorithms: ['RS256', 'PS256', 'EdDSA'],
    principal,
  });
  const world = issuerWorld();
  const { store, clock, signed } = world;
  const { postern } = createTestPostern({ store, clock, authenticators: [signed, people] });
  const { token } = await issueBoth(world);
  const tokens = [
    await derive(token, { clock: clock.now }),
    (await signed.exchange(postern, token)).accessToken,
    ...(await Promise.all(idp.map((key) => signedBy(key)))),
  ];
  const ask = async (each: string) => verdict(await postern.authorize({ token: each, requirement }));
  for (const each of tokens) expect(await ask(each)).toBe('allowed');
  return { tokens, ask, postern };
}

/** The same random numbers in each run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

const INSERTED = ['=', ' ', '\n', '\t', '\0', '.', '-', '_', 'A', '%3D', '\ufeff', '\u00e9', '\u6162', '\ud800'];
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A text with one character replaced, added or removed, or two exchanged. */
function changed(text: string, next: (below: number) => number): string {
  const at = next(text.length);
  const [before, after] = [text.slice(0, at), text.slice(at + 1)];
  switch (next(4)) {
    case 0:
      return `${before}${ALPHABET[next(64)]}${after}`;
    case 1:
      return `${before}${INSERTED[next(INSERTED.length)]}${text.slice(at)}`;
    case 2:
      return before + after;
    default:
      return `${before}${after.slice(0, 1)}${text[at]}${after.slice(1)}`;
  }
}

describe('with a cached token the instance refuses', () => {
  test('4,000 texts that differ from it in one character, for every kind', { timeout: 60_000 }, async () => {
    const { tokens, ask } = await known();
    const next = random(7);
    const passed: string[] = [];
    for (let round = 0; round < 800; round++) {
      for (const token of tokens) {
        const other = changed(token, next);
        if (other !== token && (await ask(other)) === 'allowed') passed.push(other);
      }
    }
    expect(passed).toEqual([]);
  });

  test('every other last character of each part, also if it decodes to the same bytes', async () => {
    const { tokens, ask } = await known();
    const passed: string[] = [];
    for (const token of tokens) {
      for (const end of [token.indexOf('.'), token.lastIndexOf('.'), token.length]) {
        for (const letter of ALPHABET) {
          const other = token.slice(0, end - 1) + letter + token.slice(end);
          if (other !== token && (await ask(other)) === 'allowed') passed.push(other);
        }
      }
    }
    expect(passed).toEqual([]);
  });

  test('its characters in UTF-16 bytes, and wide characters with the same low byte', async () => {
    const { tokens, ask } = await known();
    for (const token of tokens) {
      const paired = token.replace(/(.)(.)/g, (_, high: string, low: string) =>
        String.fromCharCode((high.charCodeAt(0) << 8) | low.charCodeAt(0)),
      );
      const raised = token.replace(/./g, (each) => String.fromCharCode(each.charCodeAt(0) + 0x100));
      const tail = token.slice(0, -2) + raised.slice(-2);
      for (const other of [paired, raised, tail, `${token}\0`, `${token}.`, `${token} `]) {
        expect(await ask(other)).not.toBe('allowed');
      }
    }
  });

  test('an Ed25519 signature that is the same modulo the order of the curve', async () => {
    const { tokens, ask } = await known();
    for (const token of [tokens[0], tokens[1], tokens[4]] as string[]) {
      const [header, payload, signature] = token.split('.') as [string, string, string];
      const bytes = decodeBase64url(signature) as Uint8Array;
      const scalar = bytes.slice(32).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n) + L;
      const other = Uint8Array.from(bytes, (byte, at) =>
        at < 32 ? byte : Number((scalar >> BigInt(8 * (at - 32))) & 0xffn),
      );
      expect(await ask([header, payload, encodeBase64url(other)].join('.'))).toBe('token_unknown');
    }
  });

  test('a mix of parts of two tokens', async () => {
    const { tokens, ask } = await known();
    const again = await known();
    for (const [index, token] of tokens.entries()) {
      const [header, payload, signature] = token.split('.') as [string, string, string];
      for (const other of [...tokens.filter((_, at) => at !== index), again.tokens[index] as string]) {
        const [otherHeader, otherPayload, otherSignature] = other.split('.') as [string, string, string];
        for (const mixed of [
          [otherHeader, payload, signature],
          [header, otherPayload, signature],
          [header, payload, otherSignature],
        ]) {
          const text = mixed.join('.');
          if (!tokens.includes(text)) expect(await ask(text)).not.toBe('allowed');
        }
      }
    }
  });
});

describe('of several authenticators of one issuer', () => {
  test('each judges the tokens of its own audience', async () => {
    const clock = testClock();
    const keys = await generateKeys();
    const [first, second] = [API, 'https://other.example'].map((audience) =>
      accessTokens({ issuer: AUTH, audience, keys }),
    ) as [ReturnType<typeof accessTokens>, ReturnType<typeof accessTokens>];
    const idp = await issuerKey('EdDSA');
    const people = ['one', 'two'].map((audience) =>
      trustedIssuer({
        issuer: ISSUER,
        audience,
        jwks: { keys: [idp.jwk] },
        principal: () => ({ owner: audience, types: { developer: { scopes: ['models:read'] } } }),
      }),
    );
    const store = memoryStore();
    const { postern } = createTestPostern({ store, clock, authenticators: [first, second, ...people] });
    const { token } = await issueBoth({ postern });
    const owners: (string | null)[] = [];
    for (const each of [
      (await first.exchange(postern, token)).accessToken,
      (await second.exchange(postern, token)).accessToken,
      await signedBy(idp, { aud: 'one' }),
      await signedBy(idp, { aud: ['x', 'two'] }),
    ]) {
      const found = await postern.authenticate(each);
      owners.push(found.ok ? found.principal.owner : null);
    }
    expect(owners).toEqual(['zoe', 'zoe', 'one', 'two']);
    const stranger = await signedBy(idp, { aud: 'three' });
    expect(await postern.authenticate(stranger)).toEqual({ ok: false, reason: 'token_unknown' });
  });
});
