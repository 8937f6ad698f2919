import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCompact } from '../../src/jwt/compact.js';
import { polluted } from '../support/polluted.js';
import { base64url, CLAIMS, crafted, issuerKey, signed } from './support/tokens.js';

const HEADER = { alg: 'EdDSA', typ: 'at+jwt', kid: 'k' };
const GOOD = crafted(HEADER);
const [head, body, signature] = GOOD.split('.') as [string, string, string];

/** base64url with an unused bit set, which other decoders read as the same bytes. */
function unused(text: string): string {
  const encoded = base64url(text);
  if (encoded.length % 4 === 0) throw new Error('choose a text that leaves bits over');
  return encoded.slice(0, -1) + String.fromCharCode(encoded.charCodeAt(encoded.length - 1) + 1);
}

describe('readCompact', () => {
  it('reads the parts of a signed token', async () => {
    const token = await signed(await issuerKey('ES256', 'key 1'), { name: 'Zoë \u{1f511}' });
    expect(readCompact(token)).toEqual({
      token,
      header: { alg: 'ES256', kid: 'key 1', typ: 'at+jwt' },
      payload: { ...CLAIMS, name: 'Zoë \u{1f511}' },
      kid: 'key 1',
      typ: 'at+jwt',
    });
  });

  it.each([
    [undefined, null],
    ['JWT', 'jwt'],
    ['application/AT+JWT', 'at+jwt'],
    ['At+Jwt', 'at+jwt'],
  ])('reads the typ %o as %o (RFC 7515 section 4.1.9)', (typ, read) => {
    expect(readCompact(crafted({ ...HEADER, typ }))?.typ).toBe(read);
  });

  it('accepts a jwk in the header only if the caller allows it', () => {
    const token = crafted({ ...HEADER, jwk: { kty: 'OKP' } });
    expect(readCompact(token)).toBeNull();
    expect(readCompact(token, { allowJwk: true })?.header.jwk).toEqual({ kty: 'OKP' });
    expect(readCompact(token)).toBeNull();
  });

  it('keeps no token after the current turn', async () => {
    const first = readCompact(GOOD);
    expect(readCompact(GOOD)).toBe(first);
    await null;
    expect(readCompact(GOOD)).not.toBe(first);
    expect(readCompact(GOOD)).toEqual(first);
  });

  it.each<[string, string]>([
    ['an empty text', ''],
    ['an API token', `pst_${'a'.repeat(49)}`],
    ['two parts', `${head}.${body}`],
    ['four parts', `${GOOD}.${signature}`],
    ['five parts (a JWE)', `${head}.${body}.${body}.${body}.${body}`],
    ['8 KiB of dots', '.'.repeat(8192)],
    ['an empty header', `.${body}.${signature}`],
    ['an empty payload', `${head}..${signature}`],
    ['no signature', `${head}.${body}.`],
    ['more than 8 KiB', crafted(HEADER, { ...CLAIMS, pad: 'x'.repeat(6200) })],
    ['padding', `${head}=.${body}.${signature}`],
    ['padding after the signature', `${GOOD}==`],
    ['the other alphabet', GOOD.replace(signature, `${'A'.repeat(85)}/`)],
    ['white space before', ` ${GOOD}`],
    ['a line end after', `${GOOD}\n`],
    ['white space inside the signature', `${head}.${body}.${'A'.repeat(40)} ${'A'.repeat(46)}`],
    ['unused bits at the end of the signature', `${head}.${body}.${'A'.repeat(85)}B`],
    ['unused bits at the end of the header', `${unused('{"alg":"EdDSA"} ')}.${body}.${signature}`],
    ['unused bits at the end of the payload', `${head}.${unused('{"iss":1}  ')}.${signature}`],
    ['one character too many in the payload', `${head}.${base64url('{"iss":1}')}A.${signature}`],
    ['one character too many in the signature', `${head}.${body}.${'A'.repeat(89)}`],
    ['a short signature', `${head}.${body}.${'A'.repeat(84)}`],
    ['a long signature', `${head}.${body}.${'A'.repeat(88)}`],
    ['a header that is not JSON', `${base64url('{alg:"EdDSA"}')}.${body}.${signature}`],
    ['a header that is a list', `${base64url('["EdDSA"]')}.${body}.${signature}`],
    ['a header that is null', `${base64url('null')}.${body}.${signature}`],
    ['a payload that is a text', crafted(HEADER, '"text"')],
    ['a payload that is a list', crafted(HEADER, '[]')],
    ['a payload that is not UTF-8', [head, base64url(Buffer.from('{"a":"\xff"}', 'latin1')), signature].join('.')],
    ['a byte order mark', crafted(HEADER, `\u{feff}${JSON.stringify(CLAIMS)}`)],
    ['a header parameter twice', crafted('{"alg":"EdDSA","alg":"EdDSA"}')],
    ['a header parameter twice, once escaped', crafted('{"alg":"EdDSA","\\u0061lg":"EdDSA"}')],
    ['a claim twice', crafted(HEADER, `{"iss":"a","sub":{"iss":"b"},"iss":"c"}`)],
    ['no alg', crafted({ typ: 'at+jwt' })],
    ['alg none', crafted({ ...HEADER, alg: 'none' })],
    ['alg None', crafted({ ...HEADER, alg: 'None' })],
    ['alg HS256', crafted({ ...HEADER, alg: 'HS256' }, CLAIMS, 'A'.repeat(43))],
    ['alg with a space before it', crafted({ ...HEADER, alg: ' EdDSA' })],
    ['alg in another case', crafted({ ...HEADER, alg: 'eddsa' })],
    ['alg that is a list', crafted({ ...HEADER, alg: ['EdDSA'] })],
    ['alg named like a member of a prototype', crafted({ ...HEADER, alg: 'constructor' })],
    ['alg of a key agreement', crafted({ ...HEADER, alg: 'RSA-OAEP' })],
    ['enc', crafted({ ...HEADER, enc: 'A256GCM' })],
    ['zip', crafted({ ...HEADER, zip: 'DEF' })],
    ['crit', crafted({ ...HEADER, crit: ['exp'], exp: 1 })],
    ['an empty crit', crafted({ ...HEADER, crit: [] })],
    ['crit that is null', crafted({ ...HEADER, crit: null })],
    ['b64', crafted({ ...HEADER, b64: true })],
    ['jku', crafted({ ...HEADER, jku: 'https://evil.example/keys' })],
    ['jwk', crafted({ ...HEADER, jwk: {} })],
    ['x5u', crafted({ ...HEADER, x5u: 'https://evil.example/chain' })],
    ['x5c', crafted({ ...HEADER, x5c: [] })],
    ['a kid that is a number', crafted({ ...HEADER, kid: 1 })],
    ['a kid that is null', crafted({ ...HEADER, kid: null })],
    ['a long kid', crafted({ ...HEADER, kid: 'k'.repeat(513) })],
    ['a typ that is a list', crafted({ ...HEADER, typ: ['at+jwt'] })],
  ])('refuses %s', (_, token) => {
    expect(readCompact(token)).toBeNull();
  });

  it.each([
    ['a brace in a text', '{"a":"{,:[","iss":"b"}'],
    ['a quote in a text', '{"a":"\\"\\\\","b:":":"}'],
    ['nested members of one name', '{"a":{"a":1,"b":[{"a":1},{"a":2}]},"b":2}'],
    ['__proto__', '{"__proto__":{"iss":"x"},"sub":"y"}'],
  ])('allows members that JSON tells apart: %s', (_, json) => {
    const payload = readCompact(crafted(HEADER, json))?.payload;
    expect(JSON.stringify(payload)).toBe(json);
    expect(payload && Object.getPrototypeOf(payload)).toBeNull();
  });

  it('refuses a deeply nested text without throwing', () => {
    expect(readCompact(crafted(HEADER, `{"a":${'['.repeat(2800)}${']'.repeat(2800)}}`))?.payload).toBeDefined();
    expect(readCompact(crafted(HEADER, `{"a":${'['.repeat(5600)}`))).toBeNull();
  });

  it('reads nothing from a polluted prototype', async () => {
    const [bare, jws] = await polluted(
      { alg: 'EdDSA', iss: 'https://evil.example', kid: 'evil', typ: 'at+jwt' },
      () => [readCompact(crafted({ cty: 'JWT' })), readCompact(crafted({ alg: 'EdDSA' }, { sub: 'x' }))],
    );
    expect(bare).toBeNull();
    expect(jws).toMatchObject({ kid: null, typ: null });
    expect(jws?.payload.iss).toBeUndefined();
  });

  it('still refuses every forbidden header if a polluted prototype has all of them', async () => {
    const jws = await polluted({ crit: ['x'], jku: 'x', x5u: 'x', b64: false }, () => readCompact(GOOD));
    expect(jws?.header.alg).toBe('EdDSA');
  });

  it('never throws, and accepts one spelling of each token (random texts)', () => {
    const again = (token: string) =>
      token
        .split('.')
        .map((part) => Buffer.from(part, 'base64url').toString('base64url'))
        .join('.');
    const part = fc.string({ unit: fc.constantFrom(...'eyJhbGciOiJFZERTQSJ9AQgw-_=+/ .\n'), maxLength: 120 });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
        expect(() => readCompact(parts.join('.'))).not.toThrow();
      }),
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.nat(GOOD.length - 1), fc.constantFrom(...'ABCEgw089-_=. \0'), (at, letter) => {
        const token = GOOD.slice(0, at) + letter + GOOD.slice(at + 1);
        if (readCompact(token) === null) return;
        accepted++;
        expect(again(token)).toBe(token);
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(0);
  });
});
