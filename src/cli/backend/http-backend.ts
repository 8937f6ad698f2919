import type * as z from 'zod';
import {
  auditAnswer,
  dailyUsageAnswer,
  endpointAnswer,
  endpointPageAnswer,
  usageAnswer,
} from '../../management/wire/schemas.js';
import { explanationAnswer, sessionAnswer } from '../../management/wire/session-schemas.js';
import { CliError } from '../failure.js';
import type { Backend } from './backend.js';
import { type Answer, ask, type Call, succeeded } from './http-client.js';
import { unknownEndpoint, unknownToken } from './not-found.js';
import { labelList } from './views.js';
import {
  introspectionOnWire,
  issuedOnWire,
  previewOnWire,
  tokenDetailOnWire,
  tokenOnWire,
  tokensOnWire,
} from './wire.js';

const TOKENS = '/api/v1/api_tokens';
const ENDPOINTS = '/api/v1/endpoints';

/** A server's management API, called with a token. */
export function httpBackend(endpoint: string, token: string): Backend {
  const send = (call: Omit<Call, 'token'>): Promise<Answer> => ask(endpoint, { ...call, token });

  function read<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
    const result = schema.safeParse(body);
    if (result.success) return result.data;
    const where = result.error.issues[0]?.path.join('.') || 'the body';
    throw new CliError(
      `${endpoint} did not answer like a postern server (${where}). Check the address and its version`,
    );
  }

  async function get<S extends z.ZodType>(
    schema: S,
    call: Omit<Call, 'token'>,
    missing?: () => Error,
  ): Promise<z.output<S>> {
    const answer = await send(call);
    if (answer.status === 404 && missing) throw missing();
    return read(schema, succeeded(endpoint, answer));
  }

  async function find<S extends z.ZodType>(schema: S, path: string): Promise<z.output<S> | null> {
    const answer = await send({ path });
    return answer.status === 404 ? null : read(schema, succeeded(endpoint, answer));
  }

  /** For calls whose answer is not read. */
  async function done(call: Omit<Call, 'token'>, missing: () => Error): Promise<void> {
    const answer = await send(call);
    if (answer.status === 404) throw missing();
    if (answer.status !== 204) succeeded(endpoint, answer);
  }

  async function issue(call: Omit<Call, 'token'>, missing?: () => Error) {
    const answer = await send(call);
    if (answer.status === 404 && missing) throw missing();
    const body = succeeded(endpoint, answer);
    return { token: read(issuedOnWire, body).token, record: read(tokenOnWire, body) };
  }

  return {
    place: endpoint,
    endpoint,
    tokenTypes: async () => (await get(sessionAnswer.pick({ types: true }), { path: '/api/v1/session' })).types,
    async listTokens({ limit, cursor, search, ...filter }) {
      const page = await get(tokensOnWire, {
        path: TOKENS,
        query: { count: limit, search: search === '' ? undefined : search, ...filter, cursor },
      });
      return { items: page.items, next: page.next_cursor ?? null };
    },
    createToken: ({ name, description, types, ownership, owner, expiresAt, labels, rateLimit, quota }) => {
      if (owner !== undefined) {
        throw new CliError(
          'a server makes tokens for the caller only. Leave --owner out, or work on its store with --store',
        );
      }
      return issue({
        method: 'POST',
        path: TOKENS,
        body: {
          name,
          description,
          types,
          ownership,
          expired_at: expiresAt?.toISOString() ?? null,
          labels: labelList(labels),
          // An older server refuses fields that it does not know.
          ...(rateLimit && { rate_limit: rateLimit }),
          ...(quota && { quota }),
        },
      });
    },
    findToken: (id) => find(tokenDetailOnWire, pathOf(TOKENS, id)),
    updateToken: (id, { name, description, types, expiresAt, labels, rateLimit, quota }) =>
      get(
        tokenOnWire,
        {
          method: 'PATCH',
          path: pathOf(TOKENS, id),
          body: {
            name,
            description,
            types,
            ...(expiresAt !== undefined && { expired_at: expiresAt?.toISOString() ?? null }),
            ...(labels && { labels: labelList(labels) }),
            rate_limit: rateLimit,
            quota,
          },
        },
        () => unknownToken(id),
      ),
    rotateToken: (id, grace) =>
      issue({ method: 'POST', path: `${pathOf(TOKENS, id)}/rotate`, body: { grace } }, () => unknownToken(id)),
    resetLimits: (id) =>
      done({ method: 'POST', path: `${pathOf(TOKENS, id)}/reset_limits`, body: {} }, () => unknownToken(id)),
    revokeToken: (id) =>
      done({ method: 'POST', path: `${pathOf(TOKENS, id)}/revoke`, body: {} }, () => unknownToken(id)),
    deleteToken: (id) => done({ method: 'DELETE', path: pathOf(TOKENS, id) }, () => unknownToken(id)),
    async pruneTokens() {
      throw new CliError('a server does not prune its store. Name the store itself with --store');
    },
    async importing() {
      throw new CliError('a server imports no tokens. Name the store itself with --store');
    },
    async tokenUsage(id) {
      return (await get(usageAnswer, { path: `${pathOf(TOKENS, id)}/usage` }, () => unknownToken(id))).items;
    },
    async dailyUsage(token, { from, to }) {
      const call = { path: token === null ? '/api/v1/usage' : `${pathOf(TOKENS, token)}/usage` };
      const query = { ...(token !== null && { by: 'day' }), from, to };
      const missing = token === null ? undefined : () => unknownToken(token);
      return (await get(dailyUsageAnswer, { ...call, query }, missing)).items;
    },
    async listEndpoints({ limit, cursor }) {
      const page = await get(endpointPageAnswer, { path: ENDPOINTS, query: { count: limit, cursor } });
      return { items: page.items, next: page.next_cursor };
    },
    createEndpoint: (id, access) => get(endpointAnswer, { method: 'POST', path: ENDPOINTS, body: { id, access } }),
    updateEndpoint: (id, access) =>
      get(endpointAnswer, { method: 'PATCH', path: pathOf(ENDPOINTS, id), body: { access } }, () =>
        unknownEndpoint(id),
      ),
    deleteEndpoint: (id) => done({ method: 'DELETE', path: pathOf(ENDPOINTS, id) }, () => unknownEndpoint(id)),
    previewEndpoint: (id, access) =>
      get(previewOnWire, { path: `${pathOf(ENDPOINTS, id)}/preview`, query: { access } }, () => unknownEndpoint(id)),
    async listChanges({ limit, since, until, ...query }) {
      const times = { since: since?.toISOString(), until: until?.toISOString() };
      const page = await get(auditAnswer, {
        path: '/api/v1/audit',
        query: { count: limit, ...query, ...times },
      });
      return { items: page.items, next: page.next_cursor };
    },
    async inspect(credential) {
      const call = { method: 'POST', path: '/oauth/introspect', form: { token: credential } } as const;
      return get(introspectionOnWire, call);
    },
    explain: ({ token: credential, zone, requirement }) =>
      get(
        explanationAnswer,
        { method: 'POST', path: '/api/v1/explain', body: { token: credential, zone, requirement } },
        () =>
          new CliError(`${endpoint} does not explain its decisions. Ask its store, with postern explain --store <url>`),
      ),
    async close() {},
  };
}

/** An empty id, or one of dots, would name the collection itself. */
function pathOf(collection: string, id: string): string {
  if (/^\.*$/.test(id)) throw collection === TOKENS ? unknownToken(id) : unknownEndpoint(id);
  return `${collection}/${encodeURIComponent(id)}`;
}
