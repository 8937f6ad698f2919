import { readFile, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { pathOfTarget } from '../../base/target.js';
import { createGateway, type Gateway } from '../../gateway/create-gateway.js';
import { endpointFromContext, endpointFromHeader, endpointFromHost } from '../../gateway/endpoint-from.js';
import type { HopsOptions } from '../../gateway/hop/hops.js';
import type { CallFrom } from '../../gateway/told.js';
import { createPostern } from '../../instance/create-postern.js';
import { jwksHandler } from '../../jwt/jwks-handler.js';
import { generateKeys } from '../../jwt/keys.js';
import { toNodeHandler } from '../../management/adapters/node.js';
import { internalNetworks } from '../../transports/zones.js';
import { openStore } from '../backend/open-store.js';
import { instanceOptions } from '../config/instance-options.js';
import { assertKnownTypes } from '../config/known-types.js';
import { loadConfig } from '../config/load-config.js';
import { CliError, failureOf, usageError } from '../failure.js';
import type { Host } from '../host.js';
import { note, say } from '../output/print.js';
import { type Listening, listen } from '../serve/listen.js';
import { listenGrpc } from './listen-grpc.js';

/** The options of `postern gateway`. */
export interface GatewayCommand {
  readonly listen: string;
  readonly grpcListen?: string;
  readonly hostPattern?: string;
  readonly endpointHeader?: string;
  readonly endpointContext?: true;
  readonly trustedProxy: readonly string[];
  readonly internalNetwork: readonly string[];
  readonly callFrom?: CallFrom;
  readonly store?: string;
  readonly namespace?: string;
  readonly organization?: string;
  readonly config?: string;
  readonly tokenPrefix?: string;
  readonly hopIssuer?: string;
  readonly hopKeys?: string;
  readonly jwksListen?: string;
}

/** Seconds for which services may keep the public keys. */
const MAX_AGE = 300;

/**
 * Answers proxies until the process is asked to end.
 *
 * @throws CliError, PosternError if it can't start
 */
export async function serveGateway(host: Host, options: GatewayCommand): Promise<void> {
  const requirement = requirementOf(options);
  if (options.trustedProxy.length === 0) {
    throw usageError('nobody may ask yet. Name the proxy with --trusted-proxy, such as 127.0.0.1');
  }
  const url = options.store ?? host.env.POSTERN_STORE;
  if (!url) throw usageError('there is no store. Name it with --store, such as sqlite:./postern.db');
  const hop = await hopOf(options);
  const config = await loadConfig(options.config);
  const { store, place } = await openStore({ url, namespace: options.namespace, config, make: false });
  // Limits are counted in this process by default: several gateways each allow a token its whole limit.
  const own = instanceOptions(host, config, options);
  const postern = createPostern({
    ...own,
    store,
    onEvent: (event) => {
      if (event.type === 'fault') note(host, failureOf(event.error).message);
      // The instance settles a promise of it: one that rejects unseen would end the process.
      return own.onEvent?.(event);
    },
  });
  const stopped = new Promise<void>((settle) => {
    // Without a listener, the next signal ends the process.
    const dispose = host.onStop(() => {
      dispose();
      settle();
    });
  });
  const servers: Listening[] = [];
  try {
    // Before the first question, so that a faulty store is noticed at the start.
    await store.migrate?.();
    await assertKnownTypes(store, config);
    const gateway = createGateway(postern, {
      requirement,
      trustedProxies: options.trustedProxy,
      zone: internalNetworks(options.internalNetwork),
      callFrom: options.callFrom,
      hop,
    });
    await begin(gateway);
    note(host, `Store: ${place}`);
    await stopped;
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await postern.close();
  }

  async function begin(gateway: Gateway): Promise<void> {
    const http = await listenAt(options.listen, '--listen', answersOf(gateway, options.callFrom));
    if (options.grpcListen !== undefined) {
      const grpc = await listenGrpc(gateway.envoy, addressOf(options.grpcListen, '--grpc-listen'));
      servers.push(grpc);
      say(host, `Listening on ${grpc.url}`);
    }
    if (options.jwksListen !== undefined) {
      const jwks = jwksHandler(
        () => gateway.jwks(),
        () => MAX_AGE,
      );
      const answer = toNodeHandler(async (request) =>
        new URL(request.url).pathname === '/.well-known/jwks.json'
          ? jwks(request)
          : new Response(null, { status: 404 }),
      );
      const keys = await listenAt(options.jwksListen, '--jwks-listen', answer);
      say(host, `Keys at ${keys.url}/.well-known/jwks.json`);
    }
    // Last: who waits for this line finds everything listening.
    say(host, `Listening on ${http.url}`);
  }

  async function listenAt(text: string, option: string, answer: RequestListener): Promise<Listening> {
    const { name, port } = addressOf(text, option);
    const server = await listen(answer, name, port, { host: option, port: option });
    servers.push(server);
    return server;
  }
}

/**
 * No path is answered with 200 by itself, a health check neither: where the question is the call, it would let that path through.
 */
function answersOf(gateway: Gateway, callFrom: CallFrom | undefined): RequestListener {
  const [answer, answerAgain] = [toNodeHandler(gateway.fetch), toNodeHandler(gateway.denied)];
  return (request, response) => {
    const isErrorPage = callFrom !== 'request' && pathOfTarget(request.url ?? '') === '/denied';
    void (isErrorPage ? answerAgain : answer)(request, response);
  };
}

function requirementOf({ hostPattern, endpointHeader, endpointContext }: GatewayCommand) {
  if (hostPattern !== undefined) return endpointFromHost(hostPattern);
  if (endpointHeader !== undefined) return endpointFromHeader(endpointHeader);
  if (endpointContext) return endpointFromContext();
  throw usageError(
    "nothing names the endpoint of a call. Give --host-pattern '{endpoint}.example.com', --endpoint-header or --endpoint-context",
  );
}

function addressOf(text: string, option: string): { readonly name: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const name = bracketed ?? plain;
  if (name === undefined || Number(port) > 65_535) {
    throw usageError(`${option} ${text} is no address with a port. Give one such as 127.0.0.1:4180 or [::1]:4180`);
  }
  return { name, port: Number(port) };
}

async function hopOf({ hopIssuer, hopKeys, jwksListen }: GatewayCommand): Promise<HopsOptions | undefined> {
  if (hopIssuer === undefined) {
    const stray = hopKeys !== undefined ? '--hop-keys' : jwksListen !== undefined ? '--jwks-listen' : null;
    if (stray !== null) throw usageError(`${stray} is for hops. Give --hop-issuer too`);
    return undefined;
  }
  if (hopKeys === undefined) throw usageError('--hop-issuer needs keys. Give --hop-keys and the path of a file');
  return { issuer: hopIssuer, keys: await keysIn(hopKeys) };
}

/** The keys in a file. A missing file is made; of two processes that start at once, one makes it. */
async function keysIn(path: string): Promise<Exclude<HopsOptions['keys'], { attach: unknown }>> {
  const made = await generateKeys();
  try {
    await writeFile(path, `${JSON.stringify(made, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(path, error);
  }
  try {
    return JSON.parse(await readFile(path, 'utf8')) as object[];
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): CliError {
  return new CliError(
    `the keys in ${path} can't be read or made. Give --hop-keys a file of private JWKs, or a new path`,
    undefined,
    {
      cause,
    },
  );
}
