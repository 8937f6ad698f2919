/** The targets of the HTTP table in workerd. The binding `app` says whether Hono serves them, or the guard of fetch alone. */
import type { Zone } from 'postern';
import { fetchApp, honoApp } from '../../transports/fetch-apps.js';
import { createWorld } from '../../transports/world.js';
import { controlled } from './control.js';

interface Env {
  readonly app: 'fetch' | 'hono';
}

/** A worker may draw no random bytes before its first request. */
let started: ReturnType<typeof start> | null = null;

async function start(app: Env['app']) {
  const world = await createWorld();
  const { reached, answer } = controlled(world);
  const handle =
    app === 'hono'
      ? honoApp(world.postern, reached, (c) => zoneOf(c.req.raw)).fetch
      : fetchApp<readonly unknown[]>(world.postern, reached, zoneOf);
  return { answer, handle };
}

function zoneOf(request: Request): Zone {
  const { clientIp } = (request as { cf?: { clientIp?: string } }).cf ?? {};
  return clientIp?.startsWith('127.0.0.2') ? 'internal' : 'external';
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    started ??= start(env.app);
    const { answer, handle } = await started;
    const url = new URL(request.url);
    if (url.pathname.startsWith('/-/')) return Response.json(await answer(url));
    return handle(request);
  },
};
