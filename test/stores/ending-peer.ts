import { setImmediate as nextTurn } from 'node:timers/promises';
import { serveCommands } from '../support/peer.js';
import { aNewChange, type Database, openStore } from './ending-stores.js';

/** Another process at the same store: keeps edits in flight, and ends tokens. */
const store = openStore(JSON.parse(process.argv[2] as string) as Database);

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
  /** Resolves when the edits are under way. */
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
  revoke: (ids: readonly string[]) =>
    Promise.all(ids.map((id) => store.revokeToken(id, 2, aNewChange('token.revoked', id)))),
  async trim(before: number) {
    let trimmed = 0;
    for (let count = 1; count > 0; trimmed += count) count = await store.trimChanges(before, 7);
    return trimmed;
  },
  close: () => store.close(),
};

serveCommands(commands);
