import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, type JWTPayload, SignJWT } from 'jose';
import { memoryStore, type PosternOptions } from 'postern';
import { type AccessTokens, type AccessTokensOptions, accessTokens } from 'postern/jwt';
import { createTestPostern, type TestClock, testClock } from 'postern/testing';
import { onTestFinished } from 'vitest';

export const AUTH = 'https://auth.example';
export const API = 'https://api.example';
export const ENCRYPTION_KEY = 'a text for tests, of more than 32 characters';

/** Options of access tokens with keys kept in the store. */
export const KEPT = { issuer: AUTH, audience: API, encryptionKey: ENCRYPTION_KEY };

/** An instance that issues access tokens, and its clock. */
export function issuerWorld(
  options: Partial<AccessTokensOptions> = {},
  {
    clock = testClock(),
    store = memoryStore(),
    ...rest
  }: Omit<Partial<PosternOptions>, 'clock' | 'tokenTypes'> & { clock?: TestClock } = {},
) {
  const given = options.keys === undefined ? { ...KEPT, ...options } : { issuer: AUTH, audience: API, ...options };
  const signed = accessTokens(given);
  const { postern } = createTestPostern({ store, clock, authenticators: [signed], ...rest });
  return { postern, signed, store, clock };
}

type World = ReturnType<typeof issuerWorld>;

/** A token with both types: it reaches `summarizer` and has models:write. */
export async function issueBoth<T extends Pick<World, 'postern'>>({ postern }: T, input: object = {}) {
  if ((await postern.endpoints.get('summarizer')) === null) {
    await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  }
  return postern.tokens.create({
    name: 'ci',
    owner: 'zoe',
    types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:write', 'iam:read'] } },
    ...input,
  });
}

/** Serves the JWKS of an issuer on a real socket, as `/.well-known/jwks.json`. */
export async function serveJwks(signed: AccessTokens) {
  const state = { requests: 0, down: false };
  const server = createServer(async (request: IncomingMessage, response) => {
    state.requests++;
    if (state.down) return void response.writeHead(503).end();
    const answer = await signed.jwksHandler(
      new Request(`http://localhost${request.url}`, { method: request.method ?? 'GET' }),
    );
    response.writeHead(answer.status, [...answer.headers].flat()).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/.well-known/jwks.json`;
  return { url, state };
}

/** The claims of a token, not verified. */
export function claimsIn(token: string): JWTPayload & Record<string, unknown> {
  return decodeJwt(token);
}

/** A token with other claims or another header, signed with a given key. An `undefined` member is left out. */
export function resigned(
  token: string,
  key: CryptoKey,
  claims: object,
  header: Record<string, unknown>,
): Promise<string> {
  return new SignJWT({ ...claimsIn(token), ...claims }).setProtectedHeader(header as never).sign(key);
}
