/**
 * Serves the targets of the HTTP table with everything that this runtime can start: Node, Bun and Deno run this file.
 * Prints one line of JSON, a `Ready`, once all are up.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPostern } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';
import { internalNetworks } from 'postern/zones';
import { fetchApp, honoApp } from '../../transports/fetch-apps.js';
import { HTTP_SERVERS, INSIDE } from '../../transports/http-servers.js';
import { createWorld } from '../../transports/world.js';
import type { Server } from './client.js';
import { controlled } from './control.js';

export interface Ready {
  readonly control: number;
  /** A server that could not be started has the reason instead. */
  readonly servers: Readonly<Record<string, Server | string>>;
  readonly sqlite: string;
}

/** What Bun and Deno call their own server. `address` is the client's. */
interface Native {
  readonly name: string;
  serve(handle: (request: Request, address: string) => Promise<Response>): number;
}

const globals = globalThis as {
  readonly Bun?: {
    serve(options: {
      readonly port: number;
      readonly hostname: string;
      fetch(request: Request, server: { requestIP(request: Request): { address: string } }): Promise<Response>;
    }): { readonly port: number };
  };
  readonly Deno?: {
    serve(
      options: { readonly port: number; readonly hostname: string; onListen(): void },
      handle: (request: Request, info: { readonly remoteAddr: { readonly hostname: string } }) => Promise<Response>,
    ): { readonly addr: { readonly port: number } };
  };
};

function nativeServer(): Native | null {
  const { Bun, Deno } = globals;
  const local = { port: 0, hostname: '127.0.0.1' };
  if (Bun)
    return {
      name: 'Bun.serve',
      serve: (handle) =>
        Bun.serve({ ...local, fetch: (request, server) => handle(request, server.requestIP(request).address) }).port,
    };
  if (Deno)
    return {
      name: 'Deno.serve',
      serve: (handle) =>
        Deno.serve({ ...local, onListen() {} }, (request, info) => handle(request, info.remoteAddr.hostname)).addr.port,
    };
  return null;
}

const world = await createWorld();
const { reached, answer } = controlled(world);
const zone = internalNetworks([INSIDE]);
const zoneOf = (address: string) => zone({ socket: { remoteAddress: address }, headers: {} });
const servers: Record<string, Server | string> = {};

for (const [name, start] of Object.entries(HTTP_SERVERS)) {
  try {
    const { port, headers } = await start(world.postern, reached);
    servers[name] = { port, ...(headers && { headers }) };
  } catch (error) {
    servers[name] = String(error);
  }
}
const native = nativeServer();
if (native !== null) {
  const app = fetchApp<[address: string]>(world.postern, reached, (_, address) => zoneOf(address));
  servers[native.name] = { port: native.serve(app) };
  const hono = honoApp(world.postern, reached, (c) => zoneOf(c.env as string));
  servers[`Hono on ${native.name}`] = {
    port: native.serve(async (request, address) => hono.fetch(request, address as never)),
  };
}

const control = createServer(async (request, response) => {
  try {
    response.end(JSON.stringify(await answer(new URL(request.url ?? '/', 'http://localhost'))));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve));
const ready: Ready = { control: (control.address() as AddressInfo).port, servers, sqlite: await trySqlite() };
console.log(JSON.stringify(ready));

/** Two instances with one file: the second one's revocation is seen by the first. */
async function trySqlite(): Promise<string> {
  const filename = process.argv[2] as string;
  const [here, there] = [1, 2].map(() => createPostern({ store: sqliteStore({ filename }) })) as [
    ReturnType<typeof createPostern>,
    ReturnType<typeof createPostern>,
  ];
  const { token, record } = await here.tokens.create({ name: 'a', types: { developer: { scopes: ['models:read'] } } });
  const attempt = { token, requirement: { scope: 'models:read' } } as const;
  const before = await here.authorize(attempt);
  await there.tokens.revoke(record.id);
  let after = before;
  while (after.allowed) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    after = await here.authorize(attempt);
  }
  await Promise.all([here.close(), there.close()]);
  return `${before.allowed ? 'allowed' : before.reason}, ${after.allowed ? 'allowed' : after.reason}`;
}
