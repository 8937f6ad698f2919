import * as z from 'zod';
import { check, ownCopy } from '../base/check.js';
import { PosternError } from '../domain/errors.js';
import { quote } from '../domain/text.js';
import type { AnyTokenTypes, Catalog, GrantsOf, TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';

/** An action of the management API. Each needs a scope. */
export type Permission = 'listTokens' | 'manageTokens' | 'readEndpoints' | 'manageEndpoints' | 'readAudit';

/** A person of the application's own session. */
export interface Person<T extends TokenTypes = AnyTokenTypes> {
  /** The owner of their personal tokens. */
  readonly owner: string;
  /** Default: the instance's organization. */
  readonly organization?: string | undefined;
  /** Their rights here, and the most that they may grant. `{}`: none. */
  readonly types: GrantsOf<T>;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly firstName?: string | undefined;
  readonly lastName?: string | undefined;
}

/** The names of an owner, for people. */
export type OwnerWords = Partial<Pick<Person, 'name' | 'email' | 'firstName' | 'lastName'>>;

/** The look of an application's own console. */
export interface Branding {
  /** In place of `postern`: 1 to 60 characters. */
  readonly name?: string | undefined;
  /** The address of a picture: a path, an address with http or https, or `data:image/…`. */
  readonly logo?: string | undefined;
  /** `#rrggbb`. The console makes it lighter or darker until its text can be read. */
  readonly color?: string | undefined;
  /** The address of the application, behind its name. */
  readonly home?: string | undefined;
}

type Awaitable<Value> = Value | Promise<Value>;

/** A scope of any instance: the exchange itself refuses unknown ones. */
// biome-ignore lint/suspicious/noExplicitAny: see above
type AnyScope = any;

/** The part of `accessTokens(…)` of `postern/jwt` that is used here. */
export interface TokenExchange {
  readonly audience: string;
  exchange(
    postern: Postern,
    subjectToken: string,
    options: {
      readonly scopes?: readonly AnyScope[];
      readonly endpoints?: '*' | readonly string[];
      /** The token is bound to this public JWK. */
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
   * Names the caller by the application's own session; `null` or `undefined`: nobody. Called if the request has no token. `source` is the
   * framework's own request, if it came through `toNodeHandler` or `fastifyManagement`. If the function throws, the answer is 503.
   * The request's body has been read by then: go by its headers.
   */
  readonly identify?: ((request: Request, source: unknown) => Awaitable<Person<T> | null | undefined>) | undefined;
  /** Names an owner for people. Default: the owner's id alone. */
  readonly describeOwner?:
    | ((owner: string, organization: string) => Awaitable<OwnerWords | null | undefined>)
    | undefined;
  /** The scope of each permission; `null`: nobody has it. Defaults: BentoCloud's (`iam:read`, `iam:write`, …). */
  readonly permissions?: Partial<Readonly<Record<Permission, string | null>>> | undefined;
  /** Adds `/oauth/token` (RFC 8693) and `/.well-known/jwks.json`. */
  readonly accessTokens?: TokenExchange | undefined;
  /** The mount path, such as `/admin`. Default: the root. */
  readonly basePath?: string | undefined;
  /** The public origin, such as `https://acme.dev`. Required behind a proxy that ends TLS. Default: each request's own. */
  readonly origin?: string | undefined;
  /** The console's own sign-in, with a developer token. Default `false`. */
  readonly session?: boolean | undefined;
  /** Logins of a terminal through the browser. Default `true`. */
  readonly login?: boolean | undefined;
  /** The console's pages. Default `true`. */
  readonly console?: boolean | undefined;
  /** The console's name, logo, color and way home. Default: postern's own. */
  readonly branding?: Branding | undefined;
  /**
   * The address of the application's sign-in, for people who are not signed in. `{return}` in it stands for the path to come back
   * to: `/login?next={return}`.
   */
  readonly loginUrl?: string | undefined;
  /** The address of the application's sign-out. The console links to it. */
  readonly signOut?: string | undefined;
  /** The caller's address, for the audit log and for limits. Default: the socket's address, if there is one. */
  readonly clientAddress?: ((request: Request, source: unknown) => string | null | undefined) | undefined;
  /**
   * Receives faults of this package and of the application. Errors that it throws are ignored. Default: a `fault` event of the
   * instance, and so `onEvent` or `console.error`.
   */
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
  readonly branding: Branding;
  readonly loginUrl: string | null;
  readonly signOut: string | null;
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

/** A path of this server, or an address with http or https. No scheme runs a script. */
const address = z
  .string('give an address')
  .max(2_000, 'give at most 2000 characters')
  .refine((text) => /^(https?:\/\/[^/]|\/(?!\/))/.test(text) && URL.canParse(text, 'http://any'), {
    message: "give a path such as '/login', or an address with http or https",
  });
const picture = z.union(
  [
    address,
    z
      .string()
      .regex(/^data:image\/[a-z0-9.+-]+[;,]/)
      .max(50_000),
  ],
  'give a path, an address with http or https, or data:image/… of at most 50000 characters',
);
const branding = z.strictObject({
  name: z.string('give a text').trim().min(1, 'give a text').max(60, 'give at most 60 characters').optional(),
  logo: picture.optional(),
  color: z
    .string('give a color such as #1f6b60')
    .regex(/^#[0-9a-fA-F]{6}$/, 'give a color such as #1f6b60')
    .optional(),
  home: address.optional(),
});

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
      'give the result of accessTokens(…) of postern/jwt',
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
  branding: z.preprocess(ownCopy, branding).optional(),
  loginUrl: address.optional(),
  signOut: address.optional(),
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
    branding: given.branding ?? {},
    loginUrl: given.loginUrl ?? null,
    signOut: given.signOut ?? null,
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
      `${quote(wanted)} is a scope of no token type here: name one of their scopes, or null for nobody`,
      { path: `permissions.${permission}`, input: 'managementApi' },
    );
  });
  return Object.freeze(Object.fromEntries(permissions));
}
