import type { PosternOptions } from '../base/options.js';
import { type Duration, durationOf } from '../domain/duration.js';
import { isPosternError, PosternError } from '../domain/errors.js';
import type { bentocloudTokenTypes, GrantsOf, ScopeAccess, ScopeGrantIn, TokenTypes } from '../domain/token-types.js';
import { bentocloudTokenTypes as defaultTypes } from '../domain/token-types.js';
import { createPostern, type Postern } from '../instance/create-postern.js';
import type { Endpoints } from '../managing/endpoints.js';
import type { CreateToken, IssuedToken } from '../managing/tokens-api.js';
import { memoryStore } from '../stores/memory.js';

/** A clock that only moves when it is told to. */
export interface TestClock {
  /** Epoch milliseconds. */
  now(): number;
  /** Moves it forward. @throws PosternError `input_invalid` */
  advance(by: Duration): void;
  /** Sets it to any time. With an earlier time, ended tokens stay ended, as with a real clock that is set back. */
  set(to: Date): void;
}

/** The scopes that can be granted: single ones, `resource:*` and `*`. */
type ScopeGrantOf<T extends TokenTypes> = {
  [K in keyof T]: T[K] extends ScopeAccess<infer R> ? ScopeGrantIn<R> : never;
}[keyof T];

/** A token in one line: its grants. Everything else has a default. */
export interface TestToken<T extends TokenTypes> extends Partial<CreateToken<T>> {
  /** Granted by the first token type that has scopes. */
  readonly scopes?: readonly ScopeGrantOf<T>[] | undefined;
  /** Granted by the first token type that reaches endpoints. Missing endpoints are registered as protected. */
  readonly endpoints?: '*' | readonly string[] | undefined;
}

/** Options of `createTestPostern`: those of `createPostern`, and the clock's first time. */
export interface TestPosternOptions<T extends TokenTypes> extends Partial<Omit<PosternOptions<T>, 'clock'>> {
  /** The clock's first time. Default 2026-01-01T00:00:00Z. */
  readonly now?: Date | undefined;
}

/** An instance for tests, its clock, and tokens in one line. */
export interface TestPostern<T extends TokenTypes> {
  readonly postern: Postern<T>;
  readonly clock: TestClock;
  /** Makes a token and returns its text. @throws the errors of `tokens.create` */
  token(grants?: TestToken<T>): Promise<string>;
  /** Makes a token and returns its text and its record. @throws the errors of `tokens.create` */
  issue(grants?: TestToken<T>): Promise<IssuedToken<T>>;
}

const START = Date.UTC(2026, 0, 1);

/**
 * An instance for the tests of an application: in memory, with a clock to move, and tokens in one line. It takes the options of
 * `createPostern`, except the clock.
 *
 * @example
 * const { postern, clock, token } = createTestPostern();
 * const app = makeApp(postern);
 * const bearer = await token({ scopes: ['models:write'], expiresIn: '1h' });
 * clock.advance('1h');   // now it has expired
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function createTestPostern<const T extends TokenTypes = typeof bentocloudTokenTypes>(
  options: TestPosternOptions<T> = {},
): TestPostern<T> {
  const { now = new Date(START), ...rest } = options;
  const clock = createClock(now);
  const postern = createPostern<T>({ store: memoryStore(), ...rest, clock: clock.now });
  const types: TokenTypes = rest.tokenTypes ?? defaultTypes;

  const issue = async (grants: TestToken<T> = {}): Promise<IssuedToken<T>> => {
    const { scopes, endpoints, types: named, ...input } = grants;
    for (const id of Array.isArray(endpoints) ? endpoints : [])
      await register(postern.endpoints, id, input.organization);
    const granted: Record<string, unknown> = { ...named };
    if (scopes !== undefined) granted[typeOfForm(types, 'scope_access')] = { scopes };
    if (endpoints !== undefined) granted[typeOfForm(types, 'endpoint_access')] = { endpoints };
    return postern.tokens.create({ name: 'test', ...input, types: granted as GrantsOf<T> });
  };
  return { postern, clock, issue, token: async (grants) => (await issue(grants)).token };
}

function createClock(start: Date): TestClock {
  let now = start.getTime();
  return {
    now: () => now,
    advance(by) {
      now += durationOf(by, 'by');
    },
    set(to) {
      now = to.getTime();
    },
  };
}

async function register(registry: Endpoints, id: string, organization: string | undefined): Promise<void> {
  try {
    await registry.create({ id, access: 'protected', organization });
  } catch (error) {
    if (!isPosternError(error) || error.code !== 'endpoint_exists') throw error;
  }
}

function typeOfForm(types: TokenTypes, form: TokenTypes[string]['form']): string {
  const name = Object.keys(types).find((each) => types[each]?.form === form);
  if (name !== undefined) return name;
  const field = form === 'scope_access' ? 'scopes' : 'endpoints';
  throw new PosternError('type_unknown', 'no token type here takes them: leave them out, or add a type that does', {
    path: field,
  });
}
