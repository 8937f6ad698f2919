/** A worker whose uses are written by `waitUntil`. It has no flag of Node's: the core needs none. */
import { createPostern, memoryStore, type Postern } from 'postern';
import { guard } from 'postern/fetch';

interface Context {
  waitUntil(work: Promise<unknown>): void;
}

let started: Promise<{ postern: Postern; token: string; id: string }> | null = null;

async function start() {
  const postern = createPostern({ store: memoryStore() });
  const types = { developer: { scopes: ['models:read'] } } as const;
  const { token, record } = await postern.tokens.create({ name: 'a', types });
  return { postern, token, id: record.id };
}

export default {
  async fetch(request: Request, env: unknown, context: Context): Promise<Response> {
    started ??= start();
    const { postern, token, id } = await started;
    if (new URL(request.url).pathname === '/uses') {
      return Response.json((await postern.tokens.get(id))?.lastUsedAt === null ? 0 : 1);
    }
    const answer = (_request: Request, _caller: unknown, _env: unknown, _context: Context) => new Response();
    const models = guard(postern, { scope: 'models:read' }, answer, {
      waitUntil: (work, _request, _env, runtime) => runtime.waitUntil(work),
    });
    const call = new Request(request.url, { headers: { authorization: `Bearer ${token}` } });
    return Response.json((await models(call, env, context)).status);
  },
};
