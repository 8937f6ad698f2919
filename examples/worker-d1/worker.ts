/**
 * A Cloudflare Worker whose tokens are in D1. With wrangler:
 *
 *   npx wrangler d1 create tokens            (it prints the lines of the binding DB for wrangler.toml)
 *   npx wrangler secret put SETUP_KEY        (32 random characters or more: who knows it makes tokens)
 *   npx wrangler dev examples/worker-d1/worker.ts
 *
 *   curl -X POST localhost:8787/tokens -H "Authorization: Bearer <SETUP_KEY>" -d '{"name":"ci"}'
 *   curl localhost:8787/models -H "Authorization: Bearer <the token>"
 */
import { createPostern, isPosternError } from 'postern';
import { guard } from 'postern/fetch';
import { type D1, fromD1, sqlStore } from 'postern/stores/sql';

interface Env {
  readonly DB: D1;
  readonly SETUP_KEY: string;
}

interface Execution {
  waitUntil(work: Promise<unknown>): void;
}

/** One for each isolate, made with its first request: a Worker draws no random bytes before. */
let app: ReturnType<typeof makeApp> | undefined;

export default {
  fetch(request: Request, env: Env, execution: Execution): Promise<Response> {
    app ??= makeApp(env);
    return app(request, execution);
  },
};

function makeApp({ DB, SETUP_KEY }: Env) {
  // Nobody tells an isolate of the changes of others: after 5 seconds it reads again.
  const store = sqlStore({ driver: fromD1(DB), pollInterval: false });
  const postern = createPostern({ store, cache: { ttl: '5s' } });

  const models = guard(
    postern,
    { scope: 'models:read' },
    (_request, { principal }, _execution: Execution) => Response.json({ models: [], calledBy: principal?.owner }),
    // A use is counted after the response.
    { waitUntil: (work, _request, execution) => execution.waitUntil(work) },
  );

  /** In place of your own login. */
  async function manage(request: Request, id: string | undefined): Promise<Response> {
    const given = request.headers.get('authorization')?.replace('Bearer ', '') ?? '';
    if (!(await isSame(given, SETUP_KEY))) return new Response('the setup key is missing', { status: 401 });
    if (request.method === 'DELETE' && id !== undefined) {
      await postern.tokens.revoke(id);
      return new Response(null, { status: 204 });
    }
    const { name } = (await request.json()) as { name: string };
    const types = { developer: { scopes: ['models:read'] } } as const;
    const { token, record } = await postern.tokens.create({ name, owner: 'you', types });
    return Response.json({ id: record.id, token }, { status: 201 });
  }

  return async (request: Request, execution: Execution): Promise<Response> => {
    const [, place, id] = new URL(request.url).pathname.split('/');
    if (place === 'models') return models(request, execution);
    if (place !== 'tokens') return new Response('not found', { status: 404 });
    try {
      return await manage(request, id);
    } catch (error) {
      if (isPosternError(error)) return Response.json({ code: error.code, detail: error.message }, { status: 400 });
      throw error;
    }
  };
}

/** Compares digests, so that the time says nothing about the key. An empty key is nobody's. */
async function isSame(given: string, key: string): Promise<boolean> {
  const digest = async (text: string) => String(new Uint8Array(await crypto.subtle.digest('SHA-256', encoded(text))));
  return key.length >= 32 && (await digest(given)) === (await digest(key));
}

const encoded = (text: string) => new TextEncoder().encode(text);
