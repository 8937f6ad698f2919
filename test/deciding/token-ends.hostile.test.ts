import { createHash } from 'node:crypto';
import type { RateLimiter } from 'postern';
import { createTestPostern } from 'postern/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { TokenEnds } from '../../src/deciding/token-ends.js';
import { verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const requirement = { scope: 'models:read' } as const;

const changed = (token: string, at: number, letter: string) => token.slice(0, at) + letter + token.slice(at + 1);
const places = (text: string) => Array.from(text, (letter, at) => [letter, at] as const);

/** Texts that end as the token does: what is known of its end must not make them known. */
const texts: readonly (readonly [string, (token: string) => readonly string[]])[] = [
  [
    'one letter is another',
    (token) => places(token.slice(0, -6)).map(([letter, at]) => changed(token, at, letter === 'a' ? 'b' : 'a')),
  ],
  [
    'one letter has the same low byte',
    (token) =>
      places(token).map(([letter, at]) => changed(token, at, String.fromCharCode(letter.charCodeAt(0) + 0x100))),
  ],
  ['its prefix is another', (token) => [token.replace('pst_', 'abc_')]],
  ['its two halves are exchanged', (token) => [`pst_${token.slice(25, 47)}${token.slice(4, 25)}${token.slice(47)}`]],
];

describe('a text that ends as a warm token', () => {
  test.each(texts)('is unknown and read nowhere: %s', async (_, textsOf) => {
    const { postern, store } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    const ask = (text: string) => verdict(postern.tryAuthorize({ token: text, requirement }) as never);
    await postern.authenticate(token);
    expect([ask(token), ask(token)]).toEqual(['allowed', 'allowed']);
    const reads = store.count();
    for (const text of textsOf(token)) expect(ask(text)).toBe('token_unknown');
    expect([ask(token), store.count()]).toEqual(['allowed', reads]);
  });

  test('is hashed once only, until the token is found again: a flood of such texts costs no more than others', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    await postern.authenticate(token);
    const ask = (text: string) => postern.tryAuthorize({ token: text, requirement });
    ask(token);
    const has = vi.spyOn(TokenEnds.prototype, 'has');
    onTestFinished(() => has.mockRestore());
    const other = changed(token, 20, token[20] === 'a' ? 'b' : 'a');
    for (const text of [other, other, other, token, token, other]) ask(text);
    expect(has.mock.results.map(({ value }) => value)).toEqual([true, false, false, false, true, true]);
  });

  test('is read by its own secret if it is an imported token, when it changed during its call', async () => {
    let during = async () => {};
    const limiter: RateLimiter = {
      async consume() {
        await during();
        return { allowed: true, remaining: 1, resetIn: 1_000 };
      },
      peek: async () => null,
    };
    const { postern } = createTestPostern({
      rateLimiter: limiter,
      importedTokens: [{ pattern: /^old_(\w+)$/, secret: (match) => match[1] }],
    });
    const { token } = await postern.tokens.create({ name: 'own', types });
    const imported = token.replace('pst_', 'old_');
    const record = await postern.tokens.import({
      digest: createHash('sha256').update(imported.slice(4)).digest('hex'),
      name: 'imported',
      types,
      rateLimit: { points: 9, duration: '1m' },
    });
    const ask = async (text: string) => verdict(await postern.authorize({ token: text, requirement }));
    // The end that they share is known again after each look-up that led nowhere.
    for (const text of [token, token, imported, token]) expect(await ask(text)).toBe('allowed');
    during = () => postern.tokens.update(record.id, { name: 'renamed' }).then(() => {});
    expect(await ask(imported)).toBe('allowed');
    for (const text of [imported, token]) expect(await ask(text)).toBe('allowed');
    during = () => postern.tokens.revoke(record.id).then(() => {});
    expect(await ask(imported)).toBe('token_revoked');
  });
});

describe('an end', () => {
  test('that has the number of an empty slot is not known', () => {
    const ends = new TokenEnds(53);
    const text = `${'x'.repeat(47)}\x81!!!!!`;
    expect(ends.has(text)).toBe(false);
    ends.add(text);
    expect(ends.has(text)).toBe(true);
    ends.forget(text);
    expect(ends.has(text)).toBe(false);
  });

  test('tells nobody whose token came with a proof, which an API token never has', async () => {
    const { postern, events } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    for (let i = 0; i < 3; i++) await postern.authorize({ token, requirement });
    events.length = 0;
    const proof = { jwt: 'a.b.c', target: 'https://api.example/' };
    expect(verdict(await postern.authorize({ token, requirement, proof } as never))).toBe('token_unknown');
    expect(events).toMatchObject([{ type: 'decision', reason: 'token_unknown', tokenId: null, organization: null }]);
  });
});
