import type { DenialReason } from 'postern';
import type { Target } from './targets.js';
import type { DemoPostern, DemoTokens } from './world.js';

/** One call that someone tries, through one or more transports, and what has to come of it. */
export interface Attempt {
  readonly who: string;
  readonly tokens: readonly string[];
  readonly target: Target;
  readonly inside: boolean;
  readonly expected: Expected;
  /** Whether the programs of others (curl, Python) try it as well. */
  readonly everywhere: boolean;
}

export type Expected =
  | 'allowed'
  | Extract<
      DenialReason,
      | 'token_missing'
      | 'token_malformed'
      | 'token_unknown'
      | 'scope_missing'
      | 'endpoint_not_granted'
      | 'endpoint_unknown'
      | 'endpoint_private'
    >;

/** A change, while the servers run, and the calls that come right after it. */
export interface Step {
  readonly title: string;
  change?(): Promise<unknown>;
  readonly attempts: readonly Attempt[];
}

/**
 * The attempts of the tutorial, in their order.
 *
 * @param canBeInside whether this machine can make calls from inside the cluster; else they are left out
 */
export function planOf(
  postern: DemoPostern,
  { user, developer, both }: DemoTokens,
  canBeInside: boolean,
): readonly Step[] {
  const userToken = { who: 'user token', tokens: [user.token] };
  const developerToken = { who: 'developer token', tokens: [developer.token] };
  const bothTypes = { who: 'both-types token', tokens: [both.token] };
  const nobody = { who: 'no token', tokens: [] };
  const wrong = { who: 'wrong token', tokens: [withTypo(user.token)] };
  const twoTokens = { who: 'two tokens', tokens: [user.token, developer.token] };
  const inside = { who: 'no token, inside', tokens: [], inside: true };

  const access = (id: 'public' | 'private' | 'protected', withToken: Expected, without: Expected): Step => ({
    title: `summarizer becomes ${id}`,
    change: () => postern.endpoints.update('summarizer', { access: id }),
    attempts: [
      attempt(userToken, 'summarizer', withToken, everywhere),
      attempt(nobody, 'summarizer', without, everywhere),
    ],
  });

  return [
    {
      title: 'as registered: summarizer protected, status public, metrics private',
      attempts: [
        attempt(userToken, 'summarizer', 'allowed', everywhere),
        attempt(nobody, 'summarizer', 'token_missing', everywhere),
        attempt(wrong, 'summarizer', 'token_unknown'),
        attempt(twoTokens, 'summarizer', 'token_malformed'),
        attempt(developerToken, 'summarizer', 'endpoint_not_granted', everywhere),
        attempt(userToken, 'read models', 'scope_missing'),
        // `models:write` includes `models:read`.
        attempt(developerToken, 'read models', 'allowed'),
        attempt(developerToken, 'write models', 'allowed', everywhere),
        attempt(bothTypes, 'summarizer', 'allowed'),
        attempt(bothTypes, 'write models', 'allowed'),
        attempt(nobody, 'status', 'allowed'),
        attempt(nobody, 'metrics', 'endpoint_private'),
        ...(canBeInside ? [attempt(inside, 'metrics', 'allowed')] : []),
        attempt(nobody, 'translator', 'endpoint_unknown'),
      ],
    },
    access('public', 'allowed', 'allowed'),
    access('private', 'endpoint_private', 'endpoint_private'),
    access('protected', 'allowed', 'token_missing'),
    {
      title: 'the both-types token is deleted',
      change: () => postern.tokens.delete(both.record.id),
      attempts: [
        attempt(bothTypes, 'summarizer', 'token_unknown', everywhere),
        attempt(bothTypes, 'write models', 'token_unknown'),
      ],
    },
  ];
}

type Caller = Pick<Attempt, 'who' | 'tokens'> & { readonly inside?: boolean };

const everywhere = true;

function attempt(caller: Caller, target: Target, expected: Expected, others = false): Attempt {
  return { inside: false, ...caller, target, expected, everywhere: others };
}

/** The same token with its last character mistyped: its checksum is wrong. */
function withTypo(token: string): string {
  return token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
}
