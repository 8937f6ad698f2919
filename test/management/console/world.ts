import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  bentocloudTokenTypes,
  createPostern,
  memoryRateLimiter,
  memoryStore,
  type Postern,
  type TokenTypes,
} from 'postern';
import { type ManagementOptions, managementApi, toNodeHandler } from 'postern/management';
import type { Store } from 'postern/store';
import { onTestFinished } from 'vitest';

export const ORGANIZATION = 'mybentocloud';

export interface World {
  readonly postern: Postern;
  readonly origin: string;
  /** Ada's developer token with all scopes. */
  readonly admin: string;
  /** Replaces the server's next answers by those of `respond`, until `null`. */
  intercept(respond: Interception | null): void;
  /** Sets the server's clock to a time before now, in milliseconds. */
  setBehind(behind: number): void;
}

export type Interception = (
  method: string,
  path: string,
) => 'drop' | { readonly status: number; readonly body: unknown } | null;

export interface WorldOptions extends ManagementOptions {
  readonly store?: Store;
  readonly tokenTypes?: TokenTypes;
  /** The clock of the server before now, in milliseconds. Default 0. */
  readonly behind?: number;
  /** Whether calls are counted, so that tokens may have limits. Default `true`. */
  readonly counts?: boolean;
}

/** A server with the console on a memory store, two organizations and a token to sign in with. */
export async function consoleWorld(given: WorldOptions = {}): Promise<World> {
  const { store = memoryStore(), tokenTypes = bentocloudTokenTypes, behind = 0, counts = true, ...options } = given;
  let offset = -behind;
  const postern = createPostern({
    store,
    organization: ORGANIZATION,
    clock: () => Date.now() + offset,
    tokenTypes: tokenTypes as typeof bentocloudTokenTypes,
    ...(counts && { rateLimiter: memoryRateLimiter() }),
  });
  const [scoped = 'developer'] = Object.entries(tokenTypes).find(([, { form }]) => form === 'scope_access') ?? [];
  const every = { [scoped]: { scopes: ['*'] } } as { developer: { scopes: ['*'] } };
  const { token: admin } = await postern.tokens.create({ name: 'admin', types: every, owner: 'ada' });
  await postern.tokens.create({ name: 'not yours', types: every, owner: 'ada', organization: 'elsewhere' });
  await postern.endpoints.create({ id: 'not-yours', access: 'protected' }, { organization: 'elsewhere' });

  const handler = toNodeHandler(
    managementApi(postern, {
      session: options.identify === undefined,
      describeOwner: (owner) => (owner === 'ada' ? { name: 'ada', firstName: 'Ada', lastName: 'Lovelace' } : null),
      ...options,
    }),
  );
  let interception: Interception | null = null;
  const server = createServer((request, response) => {
    const answer = interception?.(request.method ?? '', new URL(request.url ?? '', 'http://any').pathname) ?? null;
    if (answer === 'drop') request.socket.destroy();
    else if (answer !== null) {
      response.writeHead(answer.status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify(answer.body));
    } else void handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await postern.close();
  });
  return {
    postern,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    admin,
    intercept(respond) {
      interception = respond;
    },
    setBehind(next) {
      offset = -next;
    },
  };
}

/** The decision over a token at an endpoint. */
export async function reaches({ postern }: World, token: string, endpoint: string): Promise<string> {
  const decision = await postern.authorize({ token, requirement: { endpoint } });
  return decision.allowed ? 'allowed' : decision.reason;
}
