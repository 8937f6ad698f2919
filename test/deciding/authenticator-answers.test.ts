import type { Authenticator } from 'postern';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { jwt, need, scripted, scriptedWorld, vouch } from '../support/authenticator.js';
import { type Attempt, refusal, START, verdict } from '../support/outcomes.js';

describe('the answer of an authenticator', () => {
  test('makes no uses to count in this store', async () => {
    const { postern, ask, store } = scriptedWorld(scripted(() => vouch()));
    expect(await ask(jwt('a'))).toBe('allowed');
    await postern.close();
    expect(store.count('recordUsage')).toBe(0);
  });

  test('makes a principal that can create tokens only with mayIssue, and only for that long', async () => {
    const types = { developer: { scopes: ['models:read'] } } as const;
    const issues = scriptedWorld(scripted(() => vouch({ mayIssue: '90d' })));
    const answer = await issues.postern.authenticate(jwt('a'));
    if (!answer.ok) throw new Error(answer.reason);
    const { record } = await issues.postern.as(answer.principal).tokens.create({ name: 'x', types });
    expect(record.owner).toBe('ann');
    expect(record.expiresAt).toEqual(new Date(START + 90 * 86_400_000));
    const silent = scriptedWorld(scripted(() => vouch()));
    const other = await silent.postern.authenticate(jwt('a'));
    if (!other.ok) throw new Error(other.reason);
    expect((await refusal(silent.postern.as(other.principal).tokens.create({ name: 'x', types }))).code).toBe(
      'issuance_forbidden',
    );
  });

  test('gives types, owner, organization and end, and a missing token id is made from the hash of the token', async () => {
    const endsAt = new Date(START + 60_000);
    const types = { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:write'] } };
    const sessions: Authenticator = {
      accepts: (token) => token === jwt('session'),
      authenticate: () => ({ types, owner: 'ann', organization: 'acme', endsAt }),
    };
    const { postern, clock } = createTestPostern({ authenticators: [sessions] });
    await postern.endpoints.create({ id: 'summarizer', access: 'protected', organization: 'acme' });
    const token = jwt('session');
    const answer = await postern.authenticate(token);
    expect(answer).toMatchObject({
      ok: true,
      principal: {
        tokenId: expect.stringMatching(/^ext_[A-Za-z0-9_-]{22}$/),
        types,
        owner: 'ann',
        organization: 'acme',
        ownership: 'personal',
        grants: { scopes: ['models:write', 'models:read'], endpoints: ['summarizer'] },
      },
    });
    const asked = async (requirement: Attempt['requirement']) =>
      verdict(await postern.authorize({ token, requirement }));
    expect(await asked({ endpoint: 'summarizer', organization: 'acme' })).toBe('allowed');
    expect(await asked({ endpoint: 'summarizer' })).toBe('endpoint_unknown');
    expect(await asked({ scope: 'iam:read' })).toBe('scope_missing');
    clock.advance(60_000);
    expect(await asked({ scope: 'models:read' })).toBe('token_expired');
  });

  test('is cached for the ttl if it has no trustedFor, and never with cache: false', async () => {
    const { trustedFor, ...silent } = vouch();
    const script = scripted(() => silent);
    const { ask, clock } = scriptedWorld(script);
    await ask(jwt('a'));
    clock.advance(29_999);
    await ask(jwt('a'));
    expect(script.seen).toHaveLength(1);
    clock.advance(1);
    await ask(jwt('a'));
    expect([script.seen.length, trustedFor]).toEqual([2, '52w']);
    const uncached = scripted(() => silent);
    const { postern } = createTestPostern({ authenticators: [uncached.authenticator], cache: false });
    for (let i = 0; i < 3; i++) await postern.authorize({ token: jwt('a'), requirement: need });
    expect(uncached.seen).toHaveLength(3);
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['an unknown reason', 'allowed'],
    ['a reason that only the instance may give', 'scope_missing'],
    ['a list', [vouch()]],
    ['an answer without types', { ...vouch(), types: undefined }],
    ['empty types', vouch({ types: {} })],
    ['types with an unknown type', vouch({ types: { admin: { scopes: ['*'] } } })],
    ['types with an unknown scope', vouch({ scopes: ['models:paint'] })],
    ['an answer without an owner', { ...vouch(), owner: undefined }],
    ['an answer for all organizations', vouch({ organization: '*' })],
    ['an answer with an unknown field', { ...vouch(), organisation: 'acme' }],
    ['a token id with a space', vouch({ tokenId: 'a b' })],
    ['a parent without an id', vouch({ parent: { required: true } as never })],
    ['an empty list of methods', vouch({ methods: [] })],
    ['a proof check that is not a function', vouch({ prove: true as never })],
    ['a mayIssue that is not a duration', vouch({ mayIssue: true as never })],
  ])('makes the call unavailable with cause issuer if it is %s', async (_, said) => {
    const made = scriptedWorld(scripted(() => said as never));
    const decision = await made.postern.authorize({ token: jwt('a'), requirement: need });
    expect(decision).toMatchObject({ allowed: false, reason: 'unavailable', cause: 'issuer' });
    expect(made.events.filter(({ type }) => type === 'fault')).toHaveLength(1);
  });
});
