import { createPostern } from 'postern';
import { redisStore } from 'postern/stores/redis';
import { serveCommands } from '../support/peer.js';

/** Another process at the same Redis: does what it is told, and answers. */
const [url, prefix] = process.argv.slice(2) as [string, string];
const store = redisStore({ url, prefix, heartbeat: '300ms' });
const postern = createPostern({ store, cache: { ttl: '1h' } });
const types = { developer: { scopes: ['models:write'] } } as const;

const commands: Record<string, (argument: never) => Promise<unknown>> = {
  create: (names: readonly string[]) =>
    Promise.all(names.map(async (name) => (await postern.tokens.create({ name, types })).token)),
  authenticate: (token: string) => postern.authenticate(token),
  rotate: (id: string) => postern.tokens.rotate(id, { grace: '1h' }),
  revoke: (id: string) => postern.tokens.revoke(id),
  access: ([id, access]: ['summarizer', 'public' | 'private']) => postern.endpoints.update(id, { access }),
  close: () => postern.close(),
};

serveCommands(commands);
