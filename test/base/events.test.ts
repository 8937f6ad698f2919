import type { DecisionEvent, PosternEvent } from 'postern';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { START, verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const requirement = { scope: 'models:read' } as const;

test('each change sends one event after it was made, with its record', async () => {
  const { postern, events } = createTestPostern();
  const { record } = await postern.tokens.create({ name: 'x', types });
  await postern.tokens.update(record.id, { name: 'y' });
  await postern.tokens.rotate(record.id);
  await postern.tokens.revoke(record.id);
  await postern.tokens.revoke(record.id);
  await postern.tokens.delete(record.id);
  await postern.tokens.delete(record.id);
  await postern.endpoints.create({ id: 'a', access: 'public' });
  await postern.endpoints.update('a', { access: 'private' });
  await postern.endpoints.update('a', { access: 'private' });
  await postern.endpoints.delete('a');
  await postern.endpoints.delete('a');
  const told = events.map((event) => [event.type, 'subject' in event ? event.subject : null]);
  expect(told).toEqual([
    ['token.created', record.id],
    ['token.updated', record.id],
    ['token.rotated', record.id],
    ['token.revoked', record.id],
    ['token.deleted', record.id],
    ['endpoint.created', 'a'],
    ['endpoint.updated', 'a'],
    ['endpoint.deleted', 'a'],
  ]);
  expect(events[0]).toMatchObject({
    type: 'token.created',
    at: new Date(START),
    actor: { kind: 'application' },
    organization: 'default',
    subject: record.id,
    record,
  });
  expect(events[3]).toMatchObject({ record: { revokedAt: new Date(START) } });
  expect(events[6]).toMatchObject({ endpoint: { id: 'a', access: 'private' } });
});

test('at most 50 decision events a second are sent, with the number of skipped ones', async () => {
  const { postern, events, clock } = createTestPostern();
  const { token, record } = await postern.tokens.create({ name: 'x', types });
  const decisions = () => events.filter((event): event is DecisionEvent => event.type === 'decision');
  await postern.authorize({ token, requirement });
  expect(decisions()).toEqual([
    {
      type: 'decision',
      at: new Date(START),
      allowed: true,
      reason: null,
      tokenId: record.id,
      organization: 'default',
      skipped: 0,
    },
  ]);
  for (let i = 0; i < 199; i++) postern.tryAuthorize({ token, requirement });
  expect(decisions()).toHaveLength(50);
  clock.advance(1000);
  await postern.authorize({ requirement });
  expect(decisions().at(-1)).toMatchObject({ allowed: false, reason: 'token_missing', tokenId: null, skipped: 150 });
});

describe('a failing listener changes no decision', () => {
  const listeners: [string, (event: PosternEvent) => unknown][] = [
    [
      'if it throws an error',
      () => {
        throw new Error('the audit log is full');
      },
    ],
    ['if it rejects', () => Promise.reject(new Error('the audit log is full'))],
    [
      'if it throws undefined',
      () => {
        throw undefined;
      },
    ],
  ];

  test.each(listeners)('%s', async (_, onEvent) => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      const { postern, store } = createTestPostern({ onEvent });
      await postern.endpoints.create({ id: 'a', access: 'protected' });
      const { token, record } = await postern.tokens.create({ name: 'x', types });
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
      expect(postern.tryAuthorize({ token, requirement })).toMatchObject({ allowed: true });
      store.fail('listEndpoints', 'reject');
      expect(verdict(await postern.authorize({ requirement: { endpoint: 'a' } }))).toBe('unavailable');
      await postern.tokens.revoke(record.id);
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_revoked');
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});

test('a listener that changes its event changes neither records nor decisions', async () => {
  const { postern } = createTestPostern({
    onEvent: (event) => {
      for (const key of Object.keys(event)) Reflect.set(event, key, null);
    },
  });
  const { token, record } = await postern.tokens.create({ name: 'x', types });
  expect(record.name).toBe('x');
  expect(await postern.tokens.get(record.id)).toMatchObject({ name: 'x' });
  expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
});

test('a call that is denied without a look at its credential names no token, on the warm path neither', async () => {
  const { postern, events, token } = createTestPostern();
  await postern.endpoints.create({ id: 'hidden', access: 'private' });
  const secret = await token({ scopes: ['models:read'] });
  const ask = () => postern.authorize({ token: secret, requirement: { endpoint: 'hidden' } });
  await ask();
  await postern.authorize({ token: secret, requirement: { scope: 'models:read' } });
  await ask();
  const denials = events.filter((event) => event.type === 'decision' && !event.allowed);
  expect(denials).toMatchObject([{ tokenId: null }, { tokenId: null }]);
});
