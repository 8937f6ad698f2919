import { createPostern } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';
import type { StoredEntry } from '../../src/ports/records.js';
import { serveCommands } from '../support/peer.js';

/** Another process at the same file: does what it is told, and answers. */
const store = sqliteStore({ filename: process.argv[2] as string });
const postern = createPostern({ store });
const types = { developer: { scopes: ['models:write'] } } as const;

const commands: Record<string, (argument: never) => Promise<unknown>> = {
  create: (names: readonly string[]) =>
    Promise.all(names.map(async (name) => (await postern.tokens.create({ name, types })).token)),
  begin: (entries: readonly StoredEntry[]) => Promise.all(entries.map((entry) => store.putEntry(entry, 0, 0))),
  revoke: (id: string) => postern.tokens.revoke(id),
  access: ([id, access]: ['summarizer', 'public' | 'private']) => postern.endpoints.update(id, { access }),
  touch: (id: string) => store.recordUsage([{ tokenId: id, lastUsedAt: Date.now() + 1_000_000, counts: [] }]),
  close: () => postern.close(),
};

serveCommands(commands);
