import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const can = { scope: 'models:read' } as const;

describe('rotate', () => {
  test('makes a new secret for the same record, and without grace the old one ends at once', async () => {
    const { postern } = createTestPostern();
    const first = await postern.tokens.create({ name: 'x', types });
    expect((await postern.authenticate(first.token)).ok).toBe(true);
    const second = await postern.tokens.rotate(first.record.id);
    expect(second.token).not.toBe(first.token);
    expect(second.record).toEqual({
      ...first.record,
      hint: `${second.token.slice(0, 8)}…${second.token.slice(-4)}`,
      lastUsedAt: second.record.lastUsedAt,
    });
    expect(await postern.authenticate(first.token)).toEqual({ ok: false, reason: 'token_revoked' });
    expect(await postern.authenticate(second.token)).toMatchObject({
      ok: true,
      principal: { tokenId: first.record.id },
    });
  });

  test('with a grace keeps the old secret until the grace ends, also on the warm path', async () => {
    const { postern, clock } = createTestPostern({ cache: { ttl: '1d' } });
    const first = await postern.tokens.create({ name: 'x', types });
    const second = await postern.tokens.rotate(first.record.id, { grace: '1h' });
    clock.advance(3_600_000 - 1);
    expect((await postern.authenticate(first.token)).ok).toBe(true);
    clock.advance(1);
    expect(verdict(postern.tryAuthorize({ token: first.token, requirement: can }) as never)).toBe('token_revoked');
    expect(await postern.authenticate(first.token)).toEqual({ ok: false, reason: 'token_revoked' });
    expect((await postern.authenticate(second.token)).ok).toBe(true);
  });

  test('ends the grace with the expiry at that time, also if the expiry is moved later', async () => {
    const { postern, clock } = createTestPostern();
    const first = await postern.tokens.create({ name: 'x', types, expiresIn: '10m' });
    const second = await postern.tokens.rotate(first.record.id, { grace: '1h' });
    await postern.tokens.update(first.record.id, { expiresAt: null });
    clock.advance(600_000 - 1);
    expect((await postern.authenticate(first.token)).ok).toBe(true);
    clock.advance(1);
    expect(await postern.authenticate(first.token)).toEqual({ ok: false, reason: 'token_revoked' });
    expect((await postern.authenticate(second.token)).ok).toBe(true);
  });

  test('a second time does not prolong the grace of the first secret', async () => {
    const { postern, clock } = createTestPostern();
    const first = await postern.tokens.create({ name: 'x', types });
    const second = await postern.tokens.rotate(first.record.id, { grace: '1m' });
    await postern.tokens.rotate(first.record.id, { grace: '1h' });
    clock.advance(60_000);
    expect((await postern.authenticate(first.token)).ok).toBe(false);
    expect((await postern.authenticate(second.token)).ok).toBe(true);
  });

  test('refuses revoked, expired and unknown tokens, and changes nothing', async () => {
    const { postern, clock, store } = createTestPostern();
    const revoked = await postern.tokens.create({ name: 'x', types });
    const expired = await postern.tokens.create({ name: 'x', types, expiresIn: '1h' });
    await postern.tokens.revoke(revoked.record.id);
    clock.advance(3_600_000);
    const before = store.count('replaceToken');
    expect((await refusal(postern.tokens.rotate(revoked.record.id, { grace: '1h' }))).code).toBe('token_revoked');
    expect((await refusal(postern.tokens.rotate(expired.record.id, { grace: '1h' }))).code).toBe('token_expired');
    expect((await refusal(postern.tokens.rotate('0000000000000000000000'))).code).toBe('token_unknown');
    expect(store.count('replaceToken')).toBe(before);
    expect(await postern.authenticate(expired.token)).toEqual({ ok: false, reason: 'token_expired' });
  });

  test('keeps the expiry of the token', async () => {
    const { postern, clock } = createTestPostern();
    const first = await postern.tokens.create({ name: 'x', types, expiresIn: '1h' });
    const second = await postern.tokens.rotate(first.record.id);
    clock.advance(3_600_000);
    expect(await postern.authenticate(second.token)).toEqual({ ok: false, reason: 'token_expired' });
  });

  test('twice at once gives one caller a secret, and the other a conflict', async () => {
    const { postern } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    const outcomes = await Promise.allSettled([postern.tokens.rotate(record.id), postern.tokens.rotate(record.id)]);
    const won = outcomes.filter((each) => each.status === 'fulfilled');
    const lost = outcomes.filter((each) => each.status === 'rejected');
    expect([won.length, lost.length]).toEqual([1, 1]);
    expect(lost[0]?.reason).toMatchObject({ code: 'conflict' });
    expect((await postern.authenticate(won[0]?.value.token)).ok).toBe(true);
    expect((await postern.authenticate(token)).ok).toBe(false);
  });

  test('at the same time as a revocation leaves the token revoked', async () => {
    const { postern, store } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    const gate = store.hold('replaceToken', 'before');
    const rotation = postern.tokens.rotate(record.id, { grace: '1h' });
    const held = await gate.next();
    gate.end();
    await postern.tokens.revoke(record.id);
    held.release();
    expect((await refusal(rotation)).code).toBe('conflict');
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
  });

  test.each([
    [{ grace: '1y' }, 'input_invalid', 'grace'],
    [{ grace: -1 }, 'input_invalid', 'grace'],
    [{ grace: null }, 'input_invalid', 'grace'],
    [null, 'input_invalid', undefined],
    [{ gracePeriod: '1h' }, 'option_unknown', 'gracePeriod'],
  ])('refuses %j', async (options, code, path) => {
    const { postern } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    expect(await refusal(postern.tokens.rotate(record.id, options as never))).toMatchObject({ code, path });
    expect((await postern.authenticate(token)).ok).toBe(true);
  });
});
