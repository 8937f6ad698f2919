import type { PosternEvent } from '../base/events.js';
import type { PosternOptions } from '../base/options.js';
import { isPosternError, PosternError } from '../domain/errors.js';
import type { bentocloudTokenTypes, GrantsOf, ScopeAccess, ScopeGrantIn, TokenTypes } from '../domain/token-types.js';
import { bentocloudTokenTypes as defaultTypes } from '../domain/token-types.js';
import { createPostern, type Postern } from '../instance/create-postern.js';
import type { Endpoints } from '../managing/endpoints.js';
import type { CreateToken, IssuedToken } from '../managing/tokens-api.js';
import { memoryStore } from '../stores/memory.js';
import { type ControlledStore, controlledStore, isControlled } from './controlled-store.js';
import { type TestClock, testClock } from './test-clock.js';

/** The scopes that can be granted: single ones, `resource:*` and `*`. */
type ScopeGrantOf<T extends TokenTypes> = {
  [K in keyof T]: T[K] extends ScopeAccess<infer R> ? ScopeGrantIn<R> : never;
}[keyof T];

/** A token in one line: its grants. Everything else has a default. */
export interface TestToken<T extends TokenTypes = typeof bentocloudTokenTypes> extends Partial<CreateToken<T>> {
  /** Granted by the first token type that has scopes. */
  readonly scopes?: readonly ScopeGrantOf<T>[] | undefined;
  /** Granted by the first token type that reaches endpoints. Missing endpoints are registered as protected. */
  readonly endpoints?: '*' | readonly string[] | undefined;
}

/** Options of `createTestPostern`: those of `createPostern`, all optional, with a clock to move. */
export interface TestPosternOptions<T extends TokenTypes = typeof bentocloudTokenTypes>
  extends Partial<Omit<PosternOptions<T>, 'clock'>> {
  /** The time at which the clock begins. Default 2026-01-01T00:00:00Z. */
  readonly now?: Date | undefined;
  /** A clock that several instances share, in place of a new one. */
  readonly clock?: TestClock | undefined;
}

/** An instance for tests, with a clock and a store that the test controls, and tokens in one line. */
export interface TestPostern<T extends TokenTypes = typeof bentocloudTokenTypes> {
  readonly postern: Postern<T>;
  readonly clock: TestClock;
  /** The store behind the instance: a test counts its calls, and makes them fail. */
  readonly store: ControlledStore;
  /** Every event so far, the oldest first. */
  readonly events: PosternEvent[];
  /** Makes a token and returns its text. @throws the errors of `tokens.create` */
  token(grants?: TestToken<T>): Promise<string>;
  /** Makes a token and returns its text and its record. @throws the errors of `tokens.create` */
  issue(grants?: TestToken<T>): Promise<IssuedToken<T>>;
}

/**
 * An instance for the tests of an application: in memory, with a clock to move, a store that can fail, and tokens in one line.
 * It takes the options of `createPostern`.
 *
 * @example
 * const { postern, clock, store, token } = createTestPostern();
 * const app = makeApp(postern);
 * const bearer = await token({ scopes: ['models:write'], expiresIn: '1h' });
 * clock.advance('1h');                             // now the token has expired
 * store.fail('findTokenByDigest', 'reject');       // now the store is down: 503
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function createTestPostern<const T extends TokenTypes = typeof bentocloudTokenTypes>(
  options: TestPosternOptions<T> = {},
): TestPostern<T> {
  const { now, clock = testClock(now), store: given = memoryStore(), onEvent, ...rest } = options;
  const store = isControlled(given) ? given : controlledStore(given);
  const events: PosternEvent[] = [];
  const postern = createPostern<T>({
    ...rest,
    store,
    clock: clock.now,
    onEvent(event) {
      events.push(event);
      return onEvent?.(event);
    },
  });
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
  return { postern, clock, store, events, issue, token: async (grants) => (await issue(grants)).token };
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
