import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPostern, memoryStore } from 'postern';
import type { Store } from 'postern/store';
import { type TestClock, testClock } from 'postern/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bootstrap, everyScope } from '../../src/cli/serve/bootstrap.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-bootstrap-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A process that starts on a store. */
function starter(store: Store, { clock = testClock(), file = null }: { clock?: TestClock; file?: string | null } = {}) {
  const postern = createPostern({ store, clock: clock.now, cache: false });
  const shown: string[] = [];
  const show = (token: string) => void shown.push(token);
  return {
    postern,
    shown,
    start: () =>
      bootstrap({ postern, store, organization: 'default', types: everyScope(), file, show, clock: clock.now }),
  };
}

async function tokensOf(store: Store) {
  return store.listTokens({ organization: null, limit: 100 });
}

describe('the bootstrap token', () => {
  it('has all scopes, and belongs to admin of the organization', async () => {
    const { postern, shown, start } = starter(memoryStore());
    expect(await start()).toBe(true);
    const found = await postern.authenticate(shown[0]);
    expect(found).toMatchObject({ ok: true, principal: { owner: 'admin', organization: 'default' } });
    expect(found.ok && found.principal.types).toEqual({ developer: { scopes: ['*'] } });
  });

  it('is made once by twenty processes that start together', async () => {
    const store = memoryStore();
    const starters = Array.from({ length: 20 }, () => starter(store));
    const made = await Promise.all(starters.map(({ start }) => start()));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(starters.flatMap(({ shown }) => shown)).toHaveLength(1);
    expect(await tokensOf(store)).toHaveLength(1);
    // No other one was made and revoked.
    expect(await store.listChanges({ organization: null, limit: 100 })).toHaveLength(1);
  });

  it('is not made again at the next start', async () => {
    const store = memoryStore();
    await starter(store).start();
    const second = starter(store);
    expect(await second.start()).toBe(false);
    expect(second.shown).toEqual([]);
  });

  it('is not made if the store has a token in any organization', async () => {
    const store = memoryStore();
    const { postern, start } = starter(store);
    await postern.tokens.create({
      name: 'old',
      organization: 'acme',
      types: { developer: { scopes: ['models:read'] } },
    });
    expect(await start()).toBe(false);
    expect(await tokensOf(store)).toHaveLength(1);
  });

  it('is made again if the store was emptied', async () => {
    const store = memoryStore();
    const first = starter(store);
    await first.start();
    for (const { id } of await tokensOf(store)) await first.postern.tokens.delete(id);
    expect(await starter(store).start()).toBe(true);
  });

  it('is made by another process if the first one died, after a waiting time', async () => {
    const clock = testClock();
    const store = memoryStore();
    const dying: Store = { ...store, insertTokens: () => new Promise(() => {}) };
    void starter(dying, { clock }).start();
    await expect.poll(() => store.findEntry('bootstrap', 'default', clock.now())).not.toBeNull();
    expect(await starter(store, { clock }).start()).toBe(false);
    clock.advance(60_000);
    const second = starter(store, { clock });
    expect(await second.start()).toBe(true);
    expect(second.shown).toHaveLength(1);
  });

  it('stays the only one if the first process was slow', async () => {
    const clock = testClock();
    const store = memoryStore();
    let goOn = () => {};
    const slow: Store = {
      ...store,
      insertTokens: async (tokens) => {
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
        return store.insertTokens(tokens);
      },
    };
    const first = starter(slow, { clock });
    const outcome = first.start();
    await expect.poll(() => store.findEntry('bootstrap', 'default', clock.now())).not.toBeNull();
    clock.advance(60_000);
    const second = starter(store, { clock });
    expect(await second.start()).toBe(true);
    goOn();
    expect(await outcome).toBe(false);
    expect(first.shown).toEqual([]);
    expect(await second.postern.authenticate(second.shown[0])).toMatchObject({ ok: true });
    expect(await tokensOf(store)).toHaveLength(1);
  });

  it('is written to a new file readable by its owner only, and nowhere else', async () => {
    const file = join(folder, 'token');
    const { postern, shown, start } = starter(memoryStore(), { file });
    expect(await start()).toBe(true);
    expect(shown).toEqual([]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^pst_\w{49}\n$/);
    expect(await postern.authenticate(text.trim())).toMatchObject({ ok: true });
  });

  it('is not made if its file exists, and is made at the next start', async () => {
    const store = memoryStore();
    const file = join(folder, 'token');
    await writeFile(file, 'of someone else');
    await expect(starter(store, { file }).start()).rejects.toThrow('exists already');
    expect(await readFile(file, 'utf8')).toBe('of someone else');
    expect(await tokensOf(store)).toEqual([]);
    await rm(file);
    expect(await starter(store, { file }).start()).toBe(true);
  });

  it.each(['insertTokens', 'putEntry'] as const)('is completely undone if %s fails', async (method) => {
    const store = memoryStore();
    const file = join(folder, 'token');
    let fails = true;
    const failing: Store = {
      ...store,
      insertTokens: (tokens) =>
        fails && method === 'insertTokens' ? Promise.reject(new Error('down')) : store.insertTokens(tokens),
      putEntry: (entry, version, now) =>
        fails && method === 'putEntry' && entry.value.includes('made')
          ? Promise.reject(new Error('down'))
          : store.putEntry(entry, version, now),
    };
    const first = starter(failing, { file });
    await expect(first.start()).rejects.toThrow('down');
    expect(await tokensOf(store)).toEqual([]);
    await expect(stat(file)).rejects.toThrow('ENOENT');
    fails = false;
    expect(await starter(store, { file }).start()).toBe(true);
  });
});
