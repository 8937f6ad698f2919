import {
  type ManagementApi,
  type ManagementOptions,
  managementApi,
  type Person,
  toNodeHandler,
} from 'postern/management';
import { createTestPostern, type TestPosternOptions } from 'postern/testing';
import { onTestFinished } from 'vitest';
import { serve } from '../transports/support.js';

export const TOKENS = '/api/v1/api_tokens';

/** The body of a request for a token. */
export const DEVELOPER = { name: 'x', types: { developer: { scopes: ['models:read'] } } };

/** The people of an application, by its session. */
export const PEOPLE: Readonly<Record<string, Person>> = {
  // Only a base for grants to her own tokens.
  ada: {
    owner: 'ada',
    organization: 'acme',
    types: { user: { endpoints: ['a'] }, developer: { scopes: ['models:read'] } },
  },
  bob: { owner: 'bob', organization: 'acme', types: {} },
  boss: {
    owner: 'boss',
    organization: 'acme',
    types: { developer: { scopes: ['*'] } },
    name: 'The Boss',
    email: 'boss@acme.dev',
    firstName: 'The',
    lastName: 'Boss',
  },
  eve: { owner: 'ada', organization: 'other', types: { developer: { scopes: ['*'] } } },
};

/**
 * Two organizations, `acme` and `other`, each with an endpoint `a` and tokens of the same names and owners, so that leaks
 * show.
 */
export async function world(
  given: { readonly options?: ManagementOptions; readonly postern?: TestPosternOptions } = {},
) {
  const errors: unknown[] = [];
  const { postern, clock, store } = createTestPostern({ organization: 'acme', ...given.postern });
  onTestFinished(() => postern.close());
  const tokens: Record<string, { readonly token: string; readonly id: string }> = {};
  for (const organization of ['acme', 'other']) {
    for (const id of ['a', 'b']) await postern.endpoints.create({ id, access: 'protected', organization });
    const make = async (name: string, owner: string | null, types: object, more: object = {}) => {
      clock.advance(1_000);
      const made = await postern.tokens.create({ name, owner, organization, types, ...more } as never);
      tokens[organization === 'acme' ? name : `${organization}-${name}`] = { token: made.token, id: made.record.id };
    };
    await make('admin', 'admin', { developer: { scopes: ['*'] } });
    await make('reader', 'reader', { developer: { scopes: ['iam:read'] } });
    await make('modeller', 'ada', { developer: { scopes: ['models:write'] } });
    await make('writer', 'ada', { developer: { scopes: ['iam:write', 'models:write'] } });
    await make('user', 'ada', { user: { endpoints: ['a'] } });
    await make('everywhere', 'bob', { user: { endpoints: '*' }, developer: { scopes: ['models:read'] } });
    await make('shared', 'bob', { developer: { scopes: ['models:read'] } }, { ownership: 'organization' });
  }
  const api = managementApi(postern, {
    identify: (request) => PEOPLE[/(?:^|; )app=(\w+)/.exec(request.headers.get('cookie') ?? '')?.[1] ?? ''] ?? null,
    onError: (error) => errors.push(error),
    console: false,
    ...given.options,
  });
  return { postern, clock, store, api, errors, tokens, ...clientOf(api, tokens) };
}

export type World = Awaited<ReturnType<typeof world>>;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what came
  readonly body: any;
  readonly text: string;
}

export interface Asked {
  readonly method?: string;
  /** The name of a token in the world, or a token. */
  readonly token?: string | undefined;
  /** The person of the application's session. */
  readonly person?: string | undefined;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Calls an API with a `Request`, without a socket. */
function clientOf(api: ManagementApi, tokens: Readonly<Record<string, { readonly token: string }>>) {
  const ask = async (path: string, asked: Asked = {}): Promise<Answer> =>
    answerOf(await api(new Request(`https://acme.dev${path}`, init(asked, tokens))));
  return { ask };
}

export function init(
  { method, token, person, json, form, headers, body }: Asked,
  tokens: Readonly<Record<string, { readonly token: string }>> = {},
): RequestInit {
  const changes = method !== undefined && method !== 'GET' && method !== 'HEAD';
  return {
    ...(method !== undefined && { method }),
    redirect: 'manual',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${tokens[token]?.token ?? token}` }),
      ...(person !== undefined && { cookie: `app=${person}` }),
      ...(person !== undefined && changes && { 'sec-fetch-site': 'same-origin' }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(form !== undefined && { body: new URLSearchParams(form) }),
    ...(body !== undefined && { body }),
  };
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const json = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: json && text !== '' ? JSON.parse(text) : null,
  };
}

/** Signs in to the console like its page. Returns the cookie as a browser sends it. */
export async function signedIn(api: ManagementApi, token: string, origin = 'https://acme.dev'): Promise<string> {
  const asked = { method: 'POST', headers: { 'sec-fetch-site': 'same-origin' }, json: { token } };
  const response = await api(new Request(`${origin}/api/v1/session`, init(asked)));
  const [cookie = ''] = response.headers.getSetCookie();
  if (response.status !== 200) throw new Error(`the sign-in was refused: ${await response.text()}`);
  return cookie.split(';', 1)[0] as string;
}

/** The API on a real socket. Returns its address. */
export async function listening(api: ManagementApi): Promise<string> {
  return `http://127.0.0.1:${await serve(toNodeHandler(api))}`;
}

export const NOBODY = '0000000000000000000000';

/** A time in answers. */
export const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
