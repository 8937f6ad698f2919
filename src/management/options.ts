import { z } from 'zod';
import { check, ownCopy } from '../base/check.js';
import { PosternError } from '../domain/errors.js';
import { quote } from '../domain/text.js';
import type { AnyTokenTypes, Catalog, GrantsOf, TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';

/** What the management API lets be done, each by a scope. */
export type Permission = 'listTokens' | 'manageTokens' | 'readEndpoints' | 'manageEndpoints' | 'readAudit';

/** Someone of the application's own session. */
export interface Person<T extends TokenTypes = AnyTokenTypes> {
  /** Who their personal tokens belong to. */
  readonly owner: string;
  /** Default: the instance's own. */
  readonly organization?: string | undefined;
  /** What they may grant, and do here. `{}`: nothing. */
  readonly types: GrantsOf<T>;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
}

/** An owner in words. */
export type OwnerWords = Partial<Pick<Person, 'name' | 'email' | 'firstName' | 'lastName'>>;

type Awaitable<Value> = Value | Promise<Value>;

/** Of whatever instance: the exchange itself refuses what its instance doesn't know. */
// biome-ignore lint/suspicious/noExplicitAny: see above
type AnyScope = any;

/** What is used of `accessTokens(…)` of `postern/jwt`. */
export interface TokenExchange {
  readonly audience: string;
  exchange(
    postern: Postern,
    subjectToken: string,
    options: {
      readonly scopes?: readonly AnyScope[];
      readonly endpoints?: '*' | readonly string[];
      /** The public JWK that the token is bound to. */
      readonly dpopKey?: object;
    },
  ): Promise<{
    readonly accessToken: string;
    readonly expiresAt: Date;
    readonly tokenType?: string;
    readonly scope?: string;
  }>;
  jwks(): Promise<unknown>;
  readonly jwksHandler?: (request: Request) => Promise<Response>;
}

/** Options of `managementApi`. Unknown ones are refused. */
export interface ManagementOptions<T extends TokenTypes = AnyTokenTypes> {
  /**
   * Who the application's own session says is calling; `null`: nobody. Asked where no token came. `source` is the request as
   * the framework has it, where `toNodeHandler` or `fastifyManagement` brought it here. It is asked when the body has come, and been
   * read: go by the headers. What it throws is an outage (503).
   */
  readonly identify?: ((request: Request, source: unknown) => Awaitable<Person<T> | null>) | undefined;
  /** How an owner is shown. Default: by its name alone. */
  readonly describeOwner?:
    | ((owner: string, organization: string) => Awaitable<OwnerWords | null | undefined>)
    | undefined;
  /** The scope that each permission needs; `null`: nobody has it. Defaults: BentoCloud's (`iam:read`, `iam:write`, …). */
  readonly permissions?: Partial<Readonly<Record<Permission, string | null>>> | undefined;
  /** Adds `/oauth/token` (RFC 8693) and `/.well-known/jwks.json`. */
  readonly accessTokens?: TokenExchange | undefined;
  /** The path that this is mounted at, such as `/admin`. Default: the root. */
  readonly basePath?: string | undefined;
  /** The public origin, such as `https://acme.dev`. Needed behind a proxy that ends TLS. Default: that of each request. */
  readonly origin?: string | undefined;
  /** The console's own sign-in: a developer token in a cookie. Default `false`. */
  readonly session?: boolean | undefined;
  /** Logins of a terminal through the browser. Default `true`. */
  readonly login?: boolean | undefined;
  /** The console's pages. Default `true`. */
  readonly console?: boolean | undefined;
  /** From where a request came, for the audit log and for limits. Default: the socket's address, where Node has one. */
  readonly clientAddress?: ((request: Request, source: unknown) => string | null | undefined) | undefined;
  /** Told of what failed on our side or the application's. What it throws changes nothing. */
  readonly onError?: ((error: unknown, request: Request) => void) | undefined;
}

/** The options, checked, completed and copied. */
export interface Settings {
  readonly identify: NonNullable<ManagementOptions['identify']> | null;
  readonly describeOwner: NonNullable<ManagementOptions['describeOwner']> | null;
  readonly permissions: Readonly<Record<Permission, string | null>>;
  readonly accessTokens: TokenExchange | null;
  readonly basePath: string;
  readonly origin: string | null;
  readonly session: boolean;
  readonly login: boolean;
  readonly console: boolean;
  readonly clientAddress: NonNullable<ManagementOptions['clientAddress']> | null;
  readonly onError: NonNullable<ManagementOptions['onError']> | null;
}

const DEFAULTS: Readonly<Record<Permission, string>> = {
  listTokens: 'iam:read',
  manageTokens: 'iam:write',
  readEndpoints: 'deployments:read',
  manageEndpoints: 'deployments:write',
  readAudit: 'iam:read',
};

const aFunction = <F>() => z.custom<F>((value) => typeof value === 'function', 'give a function').optional();
const scope = z.string('give a scope, or null for nobody').nullable().optional();

const schema = z.strictObject({
  identify: aFunction<NonNullable<Settings['identify']>>(),
  describeOwner: aFunction<NonNullable<Settings['describeOwner']>>(),
  permissions: z
    .preprocess(
      ownCopy,
      z.strictObject({
        listTokens: scope,
        manageTokens: scope,
        readEndpoints: scope,
        manageEndpoints: scope,
        readAudit: scope,
      }),
    )
    .optional(),
  accessTokens: z
    .custom<TokenExchange>(
      (value) =>
        typeof (value as TokenExchange | null)?.exchange === 'function' &&
        typeof (value as TokenExchange | null)?.jwks === 'function',
      'give what accessTokens(…) of postern/jwt returned',
    )
    .optional(),
  basePath: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)*$/, "give a path such as '/admin', without a slash at its end")
    .refine((path) => !path.split('/').some((part) => part === '.' || part === '..'), 'has a dot segment')
    .default(''),
  origin: z
    .string()
    .refine(
      (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text,
      "give an origin such as 'https://acme.dev', without a path",
    )
    .optional(),
  session: z.boolean('give true or false').default(false),
  login: z.boolean('give true or false').default(true),
  console: z.boolean('give true or false').default(true),
  clientAddress: aFunction<NonNullable<Settings['clientAddress']>>(),
  onError: aFunction<NonNullable<Settings['onError']>>(),
});

/** @throws PosternError `option_invalid`, `option_unknown` */
export function readOptions(options: unknown, catalog: Catalog): Settings {
  const given = check(schema, options ?? {}, 'managementApi', 'option_invalid');
  return {
    identify: given.identify ?? null,
    describeOwner: given.describeOwner ?? null,
    permissions: readPermissions(ownCopy(given.permissions ?? {}), catalog),
    accessTokens: given.accessTokens ?? null,
    basePath: given.basePath,
    origin: given.origin ?? null,
    session: given.session,
    login: given.login,
    console: given.console,
    clientAddress: given.clientAddress ?? null,
    onError: given.onError ?? null,
  };
}

function readPermissions(given: Partial<Record<Permission, unknown>>, { scopes }: Catalog): Settings['permissions'] {
  const permissions = Object.entries(DEFAULTS).map(([permission, fallback]) => {
    const named = given[permission as Permission];
    const wanted = named === undefined ? fallback : named;
    if (wanted === null || scopes.has(wanted as string)) return [permission, wanted];
    throw new PosternError(
      'option_invalid',
      `${quote(wanted)} is known to no token type here: name one of their scopes, or null for nobody`,
      { path: `permissions.${permission}`, input: 'managementApi' },
    );
  });
  return Object.freeze(Object.fromEntries(permissions));
}
