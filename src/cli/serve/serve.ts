import { resolve } from 'node:path';
import { createPostern, type Postern } from '../../instance/create-postern.js';
import { toNodeHandler } from '../../management/adapters/node.js';
import { type ManagementApi, managementApi } from '../../management/api.js';
import { clientAddress, type SocketRequest } from '../../transports/zones.js';
import { isInTheClear } from '../backend/http-client.js';
import { openStore } from '../backend/open-store.js';
import { instanceOptions } from '../config/instance-options.js';
import { assertKnownTypes } from '../config/known-types.js';
import { loadConfig } from '../config/load-config.js';
import { failureOf } from '../failure.js';
import type { Host } from '../host.js';
import { note, say, warn } from '../output/print.js';
import { bootstrap, everyScope } from './bootstrap.js';
import { DEMO_PATH, demoEndpoint } from './demo.js';
import { healthOf } from './health.js';
import { listen } from './listen.js';

export interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly database?: string;
  readonly store?: string;
  readonly namespace?: string;
  readonly organization?: string;
  readonly config?: string;
  readonly tokenPrefix?: string;
  readonly bootstrapTokenFile?: string;
  readonly origin?: string;
  readonly basePath?: string;
  readonly trustedProxy: readonly string[];
  readonly console: boolean;
}

const DATABASE = './postern.db';

/**
 * Serves until the process is asked to end. Then it takes no new requests, waits for open ones, writes pending counts and closes
 * the store. If it is asked a second time, it ends at once.
 *
 * @throws CliError, PosternError if it can't start
 */
export async function serveStore(host: Host, options: ServeOptions): Promise<void> {
  const { basePath = '' } = options;
  const config = await loadConfig(options.config);
  const address = { url: addressOf(host, options), namespace: options.namespace, config, make: true };
  const { store, place } = await openStore(address);
  const own = instanceOptions(host, config, options);
  const { organization = 'default' } = own;
  const postern = createPostern({ ...own, store });
  const stopped = stopSignal(host);
  const health = healthOf(store, host.clock);
  try {
    // Before the first request, so that a faulty store is noticed at the start.
    await store.migrate?.();
    await assertKnownTypes(store, config);
    const demo = await demoEndpoint(postern, organization);
    const caller = clientAddress({ trustedProxies: options.trustedProxy });
    const api = managementApi(postern, {
      session: true,
      console: options.console,
      basePath,
      clientAddress: (_request, source) => caller(source as SocketRequest),
      ...(options.origin !== undefined && { origin: options.origin }),
      onError: (error) => note(host, failureOf(error).message),
    });
    const handler: ManagementApi = (request, arrival) =>
      health.answer(request) ?? (isBelow(basePath + DEMO_PATH, request) ? demo(request) : api(request, arrival));
    const server = await listen(toNodeHandler(handler), options.host, options.port);
    try {
      say(host, `Listening on ${server.url}${basePath}`);
      note(host, `Store: ${place}`);
      if (isInTheClear(server.url)) {
        warn(host, 'this is plain HTTP, and others can reach it: put a proxy with TLS before it.');
      }
      await begin(host, postern, options, { store, organization, types: everyScope(own.tokenTypes) });
      await stopped.promise;
    } finally {
      await server.close();
    }
  } finally {
    stopped.dispose();
    health.close();
    await postern.close();
  }
}

async function begin(
  host: Host,
  postern: Postern,
  { bootstrapTokenFile }: ServeOptions,
  on: Pick<Parameters<typeof bootstrap>[0], 'store' | 'organization' | 'types'>,
): Promise<void> {
  const file = bootstrapTokenFile === undefined ? null : resolve(bootstrapTokenFile);
  const made = await bootstrap({
    postern,
    ...on,
    file,
    show: (token) => void say(host, `Bootstrap token: ${token}`),
    clock: host.clock,
  });
  if (!made) return;
  note(
    host,
    file === null
      ? 'It has every scope and is shown this once: make narrower ones with it, then keep it safe or delete it.'
      : `The bootstrap token is in ${file}. It has every scope: make narrower ones with it, then keep it safe or delete it.`,
  );
}

function addressOf(host: Host, { database, store }: ServeOptions): string {
  if (database !== undefined) return `sqlite:${database}`;
  return store ?? (host.env.POSTERN_STORE || `sqlite:${DATABASE}`);
}

/** Paths are compared exactly: another spelling is another path. */
function isBelow(path: string, request: Request): boolean {
  const { pathname } = new URL(request.url);
  return pathname === path || pathname.startsWith(`${path}/`);
}

function stopSignal(host: Host): { readonly promise: Promise<void>; readonly dispose: () => void } {
  let dispose = () => {};
  const promise = new Promise<void>((settle) => {
    dispose = host.onStop(() => {
      // Without a listener, the next signal ends the process.
      dispose();
      settle();
    });
  });
  return { promise, dispose: () => dispose() };
}
