import { setImmediate as nextTurn } from 'node:timers/promises';
import { createPostern } from 'postern';
import type { PostgresStore } from 'postern/stores/postgres';
import type { StoredEntry } from '../../src/ports/records.js';
import { serveCommands } from '../support/peer.js';
import { aNewChange, openStore } from './databases.js';

/** Another process at the same store: does what it is told, and answers. */
const store = openStore(JSON.parse(process.argv[2] as string));
const postern = createPostern({ store, cache: { ttl: '1h' } });
const types = { developer: { scopes: ['models:write'] } } as const;

let isOver = false;
let edits: Promise<unknown> = Promise.resolve();
let made = 0;

async function edit(id: string): Promise<void> {
  while (!isOver) {
    // SQLite answers without a turn of the event loop, which messages need.
    await nextTurn();
    const token = await store.findToken(id);
    if (token === null) return;
    const changed = { ...token, name: `${token.version}`, version: token.version + 1 };
    if (await store.replaceToken(changed, token.version, null, aNewChange('token.updated', id))) made++;
  }
}

const commands: Record<string, (argument: never) => Promise<unknown>> = {
  migrate: async () => 'migrate' in store && (store as PostgresStore).migrate(),
  create: (names: readonly string[]) =>
    Promise.all(names.map(async (name) => (await postern.tokens.create({ name, types })).token)),
  authenticate: (token: string) => postern.authenticate(token),
  rotate: (id: string) => postern.tokens.rotate(id, { grace: '1h' }),
  revoke: (id: string) => postern.tokens.revoke(id),
  access: ([id, access]: ['summarizer', 'public' | 'private']) => postern.endpoints.update(id, { access }),
  enter: (entries: readonly StoredEntry[]) => Promise.all(entries.map((entry) => store.putEntry(entry, 0, 0))),
  touch: (id: string) => store.recordUsage([{ tokenId: id, lastUsedAt: Date.now() + 1_000_000, counts: [] }]),
  /** Keeps edits of a token in flight. Resolves when they are under way. */
  async edit(id: string) {
    isOver = false;
    made = 0;
    edits = Promise.all(Array.from({ length: 10 }, () => edit(id)));
    while (made === 0) await nextTurn();
  },
  async stop() {
    isOver = true;
    await edits;
  },
  end: (ids: readonly string[]) =>
    Promise.all(ids.map((id) => store.revokeToken(id, 2, aNewChange('token.revoked', id)))),
  async trim(before: number) {
    let trimmed = 0;
    for (let count = 1; count > 0; trimmed += count) count = await store.trimChanges(before, 7);
    return trimmed;
  },
  close: () => postern.close(),
};

serveCommands(commands);
