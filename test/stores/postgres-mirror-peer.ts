import { createPostern } from 'postern';
import { postgresStore } from 'postern/stores/postgres';
import { serveCommands } from '../support/peer.js';

/** Another process at the same database, which reads from a replica, and hardly caches. */
const [connectionString, reader, schema] = process.argv.slice(2) as [string, string, string];
const store = postgresStore({
  connectionString,
  schema,
  heartbeat: '300ms',
  reader: { connectionString: reader, maxLag: '30s' },
});
const postern = createPostern({ store, cache: { ttl: '1ms' } });
let answers: string[] = [];
store.mirror?.watch({ used: () => {}, answered: (by) => answers.push(by) });

const commands: Record<string, (argument: never) => Promise<unknown>> = {
  /** The decision on a call for an endpoint, or for models, and where its reads were answered. */
  async ask({ token, endpoint }: { token: string; endpoint?: string }) {
    answers = [];
    const requirement = endpoint === undefined ? ({ scope: 'models:write' } as const) : { endpoint };
    const decision = await postern.authorize({ token, requirement });
    return { verdict: decision.allowed ? 'allowed' : decision.reason, answers: [...new Set(answers)] };
  },
  close: () => postern.close(),
};

serveCommands(commands);
