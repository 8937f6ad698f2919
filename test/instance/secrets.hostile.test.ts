import { inspect } from 'node:util';
import { controlledStore, createTestPostern } from 'postern/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { gateOf } from '../support/gate.js';
import { withWrongChecksum } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;

/** Everything written to the outputs of this process. */
let written: string[];
beforeEach(() => {
  written = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      written.push(String(chunk));
      return true;
    });
  }
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) {
    vi.spyOn(console, method).mockImplementation(
      (...parts) => void written.push(parts.map((part) => inspect(part)).join(' ')),
    );
  }
});
afterEach(() => void vi.restoreAllMocks());

/** A value in every printed form. */
function shown(value: unknown): string {
  const error = value instanceof Error ? `${value.message} ${value.stack} ${shown(value.cause)}` : '';
  const text = `${inspect(value, { depth: 20, showHidden: true })} ${error}`;
  try {
    return `${text} ${JSON.stringify(value)} ${String(value)}`;
  } catch {
    return text;
  }
}

describe('secrets of tokens and a pepper', () => {
  test('appear only in the results of create and rotate', async () => {
    const pepper = 'CANARY-pepper-CANARY-pepper';
    const store = controlledStore();
    const { postern, events, clock } = createTestPostern({
      store,
      pepper,
      importedTokens: [{ pattern: /^old_\w{40}$/ }],
    });
    const seen: unknown[] = [];
    const keep = async <T>(work: Promise<T>): Promise<T> => {
      const value = await work;
      seen.push(value);
      return value;
    };
    const rejected = async (work: Promise<unknown>) => seen.push(await work.catch((error: unknown) => error));

    await keep(postern.endpoints.create({ id: 'summarizer', access: 'protected' }));
    const made = await postern.tokens.create({ name: 'x', types, expiresIn: '1h', owner: 'ada' });
    const rotated = await postern.tokens.rotate(made.record.id, { grace: '1m' });
    const imported = `old_${'Z'.repeat(40)}`;
    const secrets = [made.token, rotated.token, imported, withWrongChecksum(made.token)];
    seen.push(made.record, rotated.record);

    await keep(postern.tokens.list());
    await keep(postern.tokens.get(made.record.id));
    await keep(postern.tokens.update(made.record.id, { name: 'y' }));
    for (const token of secrets) {
      for (const requirement of [
        { scope: 'models:read' },
        { scope: 'iam:write' },
        { endpoint: 'summarizer' },
        { endpoint: 'nowhere' },
      ] as const) {
        await keep(postern.authorize({ token, requirement }));
        await keep(postern.explain({ token, requirement }));
        seen.push(postern.tryAuthorize({ token, requirement }));
      }
      await keep(postern.authenticate(token));
      await rejected(postern.authorize({ token, requirement: { scope: 'nope:nope' } as never }));
      await rejected(postern.authorize({ token, requirement: { fault: true } as never }));
      await keep(Promise.resolve(gateOf(postern).fault(new Error('a requirement function threw'))));
    }
    await rejected(postern.tokens.create({ name: '', types }));
    await rejected(postern.tokens.rotate(made.record.id, { grace: 'x' as never }));
    store.fail('findTokenByDigest', 'throw');
    clock.advance(30_000);
    for (const token of secrets) await keep(postern.authorize({ token, requirement: { authenticated: true } }));
    store.mend();
    store.answer('findTokenByDigest', (real) => ({ ...(real as object), token: { types: 'damaged' } }));
    for (const token of secrets) await keep(postern.authorize({ token, requirement: { authenticated: true } }));
    store.mend();
    await postern.tokens.revoke(made.record.id);
    await postern.tokens.delete(made.record.id);
    seen.push(postern, events);

    const text = seen.map(shown).join('\n') + written.join('');
    expect(text).toContain(made.record.id);
    for (const secret of [...secrets, pepper]) {
      // No eight characters in a row may appear, except in the hint.
      for (let at = secret.indexOf('_') + 5; at + 8 <= secret.length; at++)
        expect(text).not.toContain(secret.slice(at, at + 8));
    }
  });

  test('are not written to the terminal', async () => {
    const { postern, store } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    store.fail('findTokenByDigest', 'reject');
    await postern.authorize({ token, requirement: { scope: 'models:read' } });
    await postern.close();
    expect(written).toEqual([]);
  });

  test('are not given to the store', async () => {
    const store = controlledStore();
    const handed: unknown[] = [];
    for (const method of ['insertTokens', 'replaceToken', 'findTokenByDigest', 'deleteTokens'] as const) {
      const real = store[method] as (...args: unknown[]) => unknown;
      Object.assign(store, {
        [method]: (...args: unknown[]) => {
          handed.push(args);
          return real(...args);
        },
      });
    }
    const { postern } = createTestPostern({ store });
    const made = await postern.tokens.create({ name: 'x', types });
    await postern.authenticate(made.token);
    const rotated = await postern.tokens.rotate(made.record.id, { grace: '1h' });
    await postern.authenticate(rotated.token);
    await postern.tokens.delete(made.record.id);
    const text = shown(handed);
    expect(handed.length).toBeGreaterThanOrEqual(5);
    for (const { token } of [made, rotated]) expect(text).not.toContain(token.slice(8, 20));
  });
});
