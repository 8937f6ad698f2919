import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import Provider from 'oidc-provider';
import type { SignatureAlgorithm } from '../../../src/jwt/algorithms.js';

export const CLIENT = { id: 'ci', secret: 'a secret of the tests' } as const;

export interface OidcOptions {
  /** The audience of its access tokens. */
  readonly resource: string;
  /** The scopes that clients may request. */
  readonly scopes: readonly string[];
}

/** A real identity provider (`oidc-provider`) on a real socket. */
export interface OidcServer {
  /** `http://127.0.0.1:…` */
  readonly issuer: string;
  /** An access token from its token endpoint by the client-credentials grant (RFC 6749 section 4.4). */
  token(scope: string, signedWith?: SignatureAlgorithm): Promise<string>;
  /** The number of requests for a path. */
  count(path: string): number;
  /** Signs with new keys from now on. With `keepOld`, the old ones stay published. */
  rotate(options?: { keepOld?: boolean }): Promise<void>;
  /** Stops it, and cuts open connections. */
  down(): Promise<void>;
  /** Starts it again on the same port. */
  up(): Promise<void>;
}

/** The addresses of the keys and the metadata. */
export const JWKS = '/jwks';
export const METADATA = '/.well-known/openid-configuration';

export async function startOidc({ resource, scopes }: OidcOptions): Promise<OidcServer> {
  const counts = new Map<string, number>();
  const sockets = new Set<Socket>();
  let handle: (request: IncomingMessage, response: ServerResponse) => void = () => {};
  let alg: SignatureAlgorithm = 'RS256';
  let keys: JWK[] = await makeKeys();

  const server = createServer((request, response) => {
    const path = request.url ?? '';
    counts.set(path, (counts.get(path) ?? 0) + 1);
    handle(request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const listen = (port: number) => once(server.listen(port, '127.0.0.1'), 'listening');
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;

  function serve(): void {
    const provider = new Provider(issuer, {
      jwks: { keys },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
      ],
      scopes: [...scopes],
      enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
      ttl: { ClientCredentials: 600 },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => resource,
          getResourceServerInfo: () => ({
            scope: scopes.join(' '),
            audience: resource,
            accessTokenFormat: 'jwt',
            accessTokenTTL: 600,
            jwt: { sign: { alg } },
          }),
        },
      },
    });
    handle = provider.callback();
  }
  serve();

  return {
    issuer,
    count: (path) => counts.get(path) ?? 0,
    async token(scope, signedWith = 'RS256') {
      alg = signedWith;
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: {
          Authorization: `Basic ${btoa(`${encodeURIComponent(CLIENT.id)}:${encodeURIComponent(CLIENT.secret)}`)}`,
        },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource }),
      });
      const answer = (await response.json()) as { access_token?: string };
      if (answer.access_token === undefined) throw new Error(`no token: ${JSON.stringify(answer)}`);
      return answer.access_token;
    },
    async rotate({ keepOld = true } = {}) {
      keys = [...(await makeKeys()), ...(keepOld ? keys : [])];
      serve();
    },
    async down() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async up() {
      if (!server.listening) await listen(port);
    },
  };
}

/** One key of each type. */
function makeKeys(): Promise<JWK[]> {
  return Promise.all(
    (['RS256', 'ES256', 'EdDSA'] as const).map(async (alg) => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      return { ...(await exportJWK(privateKey)), use: 'sig', kid: randomBytes(8).toString('hex') };
    }),
  );
}
