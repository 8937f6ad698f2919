import { createPostern } from 'postern';
import { postgresStore } from 'postern/stores/postgres';

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

process.on('message', async ({ command, argument }: { command: string; argument: never }) => {
  try {
    process.send?.({ value: await commands[command]?.(argument) });
  } catch (error) {
    process.send?.({ error: String(error) });
  }
  if (command === 'close') process.disconnect();
});
