import { type Authenticator, type AuthenticatorHost, memoryStore } from 'postern';
import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { jwt, need, scripted, scriptedWorld, vouch } from '../support/authenticator.js';
import { START, thrown, verdict } from '../support/outcomes.js';

describe('an authenticator', () => {
  test('is asked once for a token, also by concurrent calls, and again only once its answer has expired', async () => {
    const script = scripted(() => vouch({ trustedFor: '1m' }));
    const { postern, ask, clock, store } = scriptedWorld(script);
    const many = await Promise.all(Array.from({ length: 1_000 }, () => ask(jwt('a'))));
    expect(new Set(many)).toEqual(new Set(['allowed']));
    expect(postern.tryAuthorize({ token: jwt('a'), requirement: need })?.allowed).toBe(true);
    expect(script.seen).toHaveLength(1);
    expect(script.hosts).toHaveLength(1);
    expect(store.count()).toBe(0);
    clock.advance(59_999);
    expect([await ask(jwt('a')), script.seen.length]).toEqual(['allowed', 1]);
    clock.advance(1);
    expect([await ask(jwt('a')), script.seen.length]).toEqual(['allowed', 2]);
  });

  test('is not asked again about an expired token, which is refused from the millisecond of its end', async () => {
    const script = scripted(() => vouch({ endsAt: new Date(START + 1_000), trustedFor: '1s' }));
    const { ask, clock } = scriptedWorld(script);
    clock.advance(999);
    expect(await ask(jwt('a'))).toBe('allowed');
    clock.advance(1);
    expect(await ask(jwt('a'))).toBe('token_expired');
    clock.advance(-500);
    expect(await ask(jwt('a'))).toBe('token_expired');
    expect(script.seen).toHaveLength(1);
  });

  test('decides the reason of a refusal', async () => {
    for (const reason of ['token_unknown', 'token_expired', 'token_revoked', 'token_malformed'] as const) {
      expect(await scriptedWorld(scripted(() => reason)).ask(jwt('a'))).toBe(reason);
    }
  });

  test('that throws makes the call unavailable with cause issuer, and is asked again by the next call', async () => {
    let down = true;
    const script = scripted(() => (down ? Promise.reject(new TypeError('fetch failed')) : vouch()));
    const { postern, ask, events } = scriptedWorld(script);
    const decision = await postern.authorize({ token: jwt('a'), requirement: need });
    expect(decision).toMatchObject({ allowed: false, reason: 'unavailable', cause: 'issuer' });
    expect(events.filter(({ type }) => type === 'fault')).toHaveLength(1);
    down = false;
    expect(await ask(jwt('a'))).toBe('allowed');
  });

  test('whose store fails makes the call unavailable with cause store', async () => {
    const script = scripted(async () => {
      await (script.hosts[0] as AuthenticatorHost).store.findEntry('x', 'y', START);
      return vouch();
    });
    const store = controlledStore();
    store.fail('findEntry', 'reject');
    const { postern } = createTestPostern({ store, authenticators: [script.authenticator] });
    expect(await postern.authorize({ token: jwt('a'), requirement: need })).toMatchObject({
      reason: 'unavailable',
      cause: 'store',
    });
  });

  test('that accepts a token first decides alone, and the next one is not asked', async () => {
    const first = scripted(() => 'token_unknown', 'a');
    const second = scripted(() => vouch());
    const { ask } = scriptedWorld(first, second);
    expect(await ask(jwt('a'))).toBe('token_unknown');
    expect(second.seen).toHaveLength(0);
    expect(await ask(jwt('b'))).toBe('allowed');
    expect(first.seen).toHaveLength(1);
  });

  test('that throws in accepts is skipped, and the next one is asked', async () => {
    const broken: Authenticator = {
      accepts() {
        throw new Error('what is this?');
      },
      authenticate: () => Promise.reject(new Error('unreachable')),
    };
    const { postern } = createTestPostern({
      authenticators: [broken, scripted(() => vouch()).authenticator],
    });
    expect(verdict(await postern.authorize({ token: jwt('a'), requirement: need }))).toBe('allowed');
  });

  test.each([
    ['a token of two parts', 'eyJhbGciOiJFUzI1NiJ9.e30'],
    ['a token of five parts (a JWE)', 'eyJhbGciOiJFUzI1NiJ9.e30.e30.e30.e30'],
    ['a token with a padded part', 'eyJhbGciOiJFUzI1NiJ9.e30=.c2ln'],
    ['a token without a header', 'abc.e30.c2ln'],
    ['a text of dots', `eyJ${'.'.repeat(8_000)}`],
  ])('is not asked about %s', async (_, token) => {
    const script = scripted(() => vouch());
    expect(await scriptedWorld(script).ask(token)).toBe('token_unknown');
    expect(script.seen).toHaveLength(0);
  });

  test('is not asked about a token of more than 8 KiB', async () => {
    const script = scripted(() => vouch());
    expect(await scriptedWorld(script).ask(`eyJ.${'a'.repeat(8_192)}.a`)).toBe('token_malformed');
    expect(script.seen).toHaveLength(0);
  });

  test('is closed with its instance', async () => {
    const script = scripted(() => vouch());
    const { postern } = scriptedWorld(script);
    await postern.close();
    expect(script.closed()).toBe(1);
  });

  test('without an authenticate method is refused at construction', () => {
    const store = memoryStore();
    expect(
      thrown(() => createTestPostern({ store, authenticators: [{ accepts: () => true }] as never }).postern),
    ).toMatchObject({
      code: 'option_invalid',
      path: 'authenticators.0',
    });
    expect(thrown(() => createTestPostern({ store, authenticators: {} as never }).postern).code).toBe('option_invalid');
  });
});

describe('the parent of a signed token', () => {
  async function family(required: boolean, parentStore = controlledStore()) {
    let parent = '';
    const script = scripted(() =>
      vouch({ scopes: ['models:write', 'bentos:read'], tokenId: parent, parent: { tokenId: parent, required } }),
    );
    const made = createTestPostern({ store: parentStore, authenticators: [script.authenticator] });
    const { record } = await made.postern.tokens.create({
      name: 'parent',
      owner: 'ann',
      types: { developer: { scopes: ['models:write'] } },
      expiresIn: '1h',
    });
    parent = record.id;
    const ask = async (scope: 'models:write' | 'bentos:read' = 'models:write') =>
      verdict(await made.postern.authorize({ token: jwt('a'), requirement: { scope } }));
    return { ...made, script, record, ask };
  }

  test.each([true, false])(
    "bounds its token's rights, and ends it when revoked or expired (required: %s)",
    async (required) => {
      const { postern, record, ask, clock, script } = await family(required);
      expect([await ask(), await ask('bentos:read')]).toEqual(['allowed', 'scope_missing']);
      await postern.tokens.update(record.id, { types: { developer: { scopes: ['bentos:read'] } } });
      expect([await ask(), await ask('bentos:read')]).toEqual(['scope_missing', 'allowed']);
      await postern.tokens.revoke(record.id);
      expect(await ask('bentos:read')).toBe('token_revoked');
      const other = await family(required);
      expect(await other.ask()).toBe('allowed');
      other.clock.advance(3_600_000);
      expect(await other.ask()).toBe('token_expired');
      expect([script.seen.length, clock.now()]).toEqual([1, START]);
    },
  );

  test('ends its token when it is deleted, if it is required', async () => {
    const { postern, record, ask } = await family(true);
    expect(await ask()).toBe('allowed');
    await postern.tokens.delete(record.id);
    expect(await ask()).toBe('token_revoked');
  });

  test('may be missing from the store if it is not required', async () => {
    const script = scripted(() => vouch({ parent: { tokenId: 'elsewhere', required: false } }));
    const { ask, store, postern, clock } = scriptedWorld(script);
    expect(await ask(jwt('a'))).toBe('allowed');
    expect(postern.tryAuthorize({ token: jwt('a'), requirement: need })?.allowed).toBe(true);
    expect(store.count('findToken')).toBe(1);
    clock.advance(5_000);
    expect([await ask(jwt('a')), store.count('findToken')]).toEqual(['allowed', 2]);
  });

  test('that can not be read makes the call unavailable', async () => {
    const { ask, store } = await family(false);
    store.fail('findToken', 'reject');
    expect(await ask()).toBe('unavailable');
  });
});

describe('a token bound to a key', () => {
  const proof = { jwt: 'proof', target: '/models' };

  test('is refused as a plain bearer token, and with a wrong proof', async () => {
    const asked: unknown[] = [];
    const script = scripted(() =>
      vouch({
        async prove(presentation, now) {
          asked.push([presentation, now]);
          return presentation.proof?.jwt === 'proof';
        },
      }),
    );
    const { postern, ask } = scriptedWorld(script);
    expect(await ask(jwt('a'))).toBe('token_unknown');
    expect(asked).toEqual([]);
    expect(await ask(jwt('a'), { proof, method: 'GET' })).toBe('allowed');
    expect(asked).toEqual([[{ method: 'GET', proof }, START]]);
    expect(await ask(jwt('a'), { proof: { jwt: 'other', target: '/' }, method: 'GET' })).toBe('proof_invalid');
    expect(postern.tryAuthorize({ token: jwt('a'), requirement: need })).toMatchObject({ reason: 'token_unknown' });
    expect(postern.tryAuthorize({ token: jwt('a'), requirement: need, proof })).toBeNull();
    expect((await postern.authenticate(jwt('a'))).ok).toBe(false);
  });

  test('needs a proof at each call, but not for a recheck of a running call', async () => {
    let times = 0;
    const script = scripted(() => vouch({ prove: async () => ++times > 0 }));
    const { ask } = scriptedWorld(script);
    expect([await ask(jwt('a'), { proof }), await ask(jwt('a'), { proof })]).toEqual(['allowed', 'allowed']);
    expect(await ask(jwt('a'), { proof }, 'recheck')).toBe('allowed');
    expect(times).toBe(2);
  });

  test('is refused as an internal error if judging its proof throws', async () => {
    const script = scripted(() => vouch({ prove: () => Promise.reject(new Error('broken')) }));
    expect(await scriptedWorld(script).ask(jwt('a'), { proof })).toBe('internal_error');
  });

  test('is the only kind that takes a proof: a proof with any other token is refused without a read', async () => {
    const { postern, ask, store } = scriptedWorld(scripted(() => vouch()));
    expect(await ask(jwt('a'), { proof })).toBe('token_unknown');
    const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });
    store.calls.clear();
    expect([await ask(token, { proof }), store.count()]).toEqual(['token_unknown', 0]);
    expect(await ask(token)).toBe('allowed');
  });
});
