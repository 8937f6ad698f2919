import { createPostern } from 'postern';
import { postgresStore } from 'postern/stores/postgres';
import { serveCommands } from '../support/peer.js';

/** Another process at the same database: does what it is told, and answers. */
const [connectionString, schema] = process.argv.slice(2) as [string, string];
const store = postgresStore({ connectionString, schema, heartbeat: '300ms' });
const postern = createPostern({ store, cache: { ttl: '1h' } });
const types = { developer: { scopes: ['models:write'] } } as const;

const commands: Record<string, (argument: never) => Promise<unknown>> = {
  migrate: () => store.migrate(),
  create: (names: readonly string[]) =>
    Promise.all(names.map(async (name) => (await postern.tokens.create({ name, types })).token)),
  authenticate: (token: string) => postern.authenticate(token),
  revoke: (id: string) => postern.tokens.revoke(id),
  access: ([id, access]: ['summarizer', 'public' | 'private']) => postern.endpoints.update(id, { access }),
  close: () => postern.close(),
};

serveCommands(commands);
