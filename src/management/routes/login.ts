import { check } from '../../base/check.js';
import { readGrants } from '../../base/grant-input.js';
import { durationOf } from '../../domain/duration.js';
import { PosternError } from '../../domain/errors.js';
import type { GrantsOf, TokenTypes } from '../../domain/token-types.js';
import { createTokenInput } from '../../managing/inputs.js';
import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import { Problem } from '../http/problem.js';
import { lastEnded } from '../leaving.js';
import { approverOf, assertGrantable, endOf, issueApproved } from '../login/approver.js';
import type { Approval, Login } from '../login/logins.js';
import { LoginLimits } from '../login/windows.js';
import { assertMayManageSome } from '../permissions.js';
import {
  approval,
  collectAnswer,
  collectQuery,
  loginAnswer,
  loginQuery,
  loginRequestAnswer,
  openLogin,
} from '../wire/session-schemas.js';
import type { LoginRequest } from '../wire/types.js';
import { openRoute, type Route, route } from './route.js';
import { needed, typesFrom } from './token-input.js';

const VERIFIER = 'x-postern-verifier';
const REQUEST = '/api/v1/auth/requests/{code}';
const tag = 'Login through the browser';
const DAY = 86_400_000;
/** The longest address in a token's name, in characters. */
const LONGEST_FROM = 150;
/** The life of a token whose terminal proves that it began the login. */
const LIFE = '90d';
/** The life of a token that anyone with the code can collect (RFC 8628 section 5.4). */
const UNBOUND_LIFE = '24h';

/** Logins of a terminal through the browser. */
export function loginRoutes(context: Context): readonly Route[] {
  const limits = new LoginLimits(context.ground);
  return [
    openRoute({
      method: 'GET',
      path: '/api/v1/auth/code',
      id: 'beginLogin',
      summary: 'Begins a login: the code is approved on the page /api_tokens?code=… within five minutes',
      tag,
      once: true,
      query: loginQuery,
      answer: loginAnswer,
      refusals: [429],
      async handle({ query: { code_challenge: challenge, code_challenge_method: method, types }, from }) {
        if ((challenge === undefined) !== (method === undefined)) {
          const detail = 'Give code_challenge and code_challenge_method=S256 together, or neither.';
          throw new Problem(400, 'input_invalid', detail, { path: 'code_challenge' });
        }
        const asked = types === undefined ? null : await askedFor(types, context);
        await limits.take('begin', { address: from });
        const { code, userCode } = await context.logins.begin({ challenge: challenge ?? null, asked, from });
        return { body: { code, ...(userCode !== null && { user_code: userCode }) } };
      },
    }),

    openRoute({
      method: 'GET',
      path: '/api/v1/auth/token',
      id: 'collectToken',
      summary:
        'The token of an approved login, once; 401 until then. A login begun with a challenge needs X-Postern-Verifier',
      tag,
      once: true,
      query: collectQuery,
      answer: collectAnswer,
      refusals: [401, 429],
      async handle({ query, request, from }) {
        await limits.take('collect', { login: context.logins.idOf(query.code), address: from });
        const login = await context.logins.collect(query.code, request.headers.get(VERIFIER));
        const { token } = await issueApproved(context, login, from);
        return { body: { token } };
      },
    }),

    route({
      method: 'POST',
      path: REQUEST,
      id: 'openLogin',
      summary: 'A waiting login with its request. If it has a user code, the call needs that',
      tag,
      body: openLogin,
      answer: loginRequestAnswer,
      refusals: [404, 409],
      permit: assertMayManageSome,
      async handle({ caller, params, body }) {
        await limits.take('answer', { person: personOf(caller) });
        const { organization } = caller.principal;
        const login = await context.logins.open(params.code as string, organization, body.user_code ?? null);
        return { body: loginShape(context, login, caller) };
      },
    }),

    route({
      method: 'POST',
      path: `${REQUEST}/approve`,
      id: 'approveLogin',
      summary:
        'Approves a login: the terminal gets a personal token of yours, with the types named here or else those it asked for',
      tag,
      body: approval,
      answer: loginRequestAnswer,
      refusals: [404, 409],
      permit: assertMayManageSome,
      async handle({ caller, params, body }) {
        await limits.take('answer', { person: personOf(caller) });
        const { organization } = caller.principal;
        const chosen = typesFrom(body, context.words);
        const answer = async (waiting: Login): Promise<Approval> => {
          const types = needed(chosen ?? (waiting.asked as GrantsOf<TokenTypes> | null) ?? undefined, context);
          const expiresIn = lifeOf(context, waiting, caller, body.expires_in ?? null);
          const approver = await approverOf(context, caller);
          await assertGrantable(context, caller, types);
          const name = nameOf(waiting, body.name ?? null);
          const last = await lastEnded(context, organization, approver.owner);
          return { organization, approver, lastEnded: last, types: { ...types }, name, expiresIn };
        };
        const login = await context.logins.answer(params.code as string, organization, body.user_code ?? null, answer);
        return { body: loginShape(context, login, caller) };
      },
    }),

    route({
      method: 'POST',
      path: `${REQUEST}/deny`,
      id: 'denyLogin',
      summary: 'Refuses a login',
      tag,
      body: openLogin,
      answer: loginRequestAnswer,
      refusals: [404, 409],
      permit: assertMayManageSome,
      async handle({ caller, params, body }) {
        await limits.take('answer', { person: personOf(caller) });
        const { organization } = caller.principal;
        const refuse = async () => null;
        const login = await context.logins.answer(params.code as string, organization, body.user_code ?? null, refuse);
        return { body: loginShape(context, login, caller) };
      },
    }),
  ];
}

/**
 * The types that a terminal asks for. Nobody has signed in yet, so endpoints are not looked up: the answer must not tell whether
 * they exist.
 *
 * @throws PosternError as `tokens.create` for its types
 */
async function askedFor(json: string, { ground }: Context): Promise<Login['asked']> {
  let types: unknown;
  try {
    types = JSON.parse(json);
  } catch {
    throw new PosternError('input_invalid', 'is no JSON: give types such as {"developer":{"scopes":["models:read"]}}', {
      path: 'types',
    });
  }
  await readGrants(types, ground.settings.catalog, async () => ({ uid: null }));
  return types as Record<string, unknown>;
}

/** The key under which a person's tries are counted, for all their tokens and sessions. */
function personOf({ principal: { organization, owner, tokenId } }: Caller): string {
  return JSON.stringify([organization, owner ?? null, owner === null ? tokenId : null]);
}

function loginShape({ ground }: Context, login: Login, caller: Caller): LoginRequest {
  const bound = login.bond !== null;
  const now = ground.time.read();
  // No token outlives its maker.
  const latest = Math.min(now + (bound ? durationOf(LIFE, 'life') : DAY), endOf(caller));
  const settled = !bound || latest === endOf(caller);
  return {
    from: login.from,
    created_at: new Date(login.createdAt).toISOString(),
    expires_at: new Date(login.expiresAt).toISOString(),
    bound,
    status: login.status,
    asked: login.asked as LoginRequest['asked'],
    types: (login.approval?.types ?? null) as LoginRequest['types'],
    token_expires_at: settled ? new Date(latest).toISOString() : null,
    token_expires_in: bound ? LIFE : UNBOUND_LIFE,
  };
}

/** Checked now, because it could not be corrected when the token is made. @throws PosternError `input_invalid` */
function nameOf({ from }: Login, given: string | null): string {
  if (given === null) return `Login from ${[...(from ?? 'a terminal')].slice(0, LONGEST_FROM).join('')}`;
  return check(createTokenInput.pick({ name: true }), { name: given }, 'the body', 'input_invalid').name;
}

/** In milliseconds. @throws PosternError `input_invalid`, `expiry_past`, `expiry_beyond`; Problem 400 */
function lifeOf({ ground }: Context, { bond }: Login, caller: Caller, expiresIn: string | null): number {
  const life = durationOf(expiresIn ?? (bond === null ? UNBOUND_LIFE : LIFE), 'expires_in');
  if (life === 0) throw new PosternError('expiry_past', 'is zero: give a longer one', { path: 'expires_in' });
  if (bond === null && life > DAY) {
    const detail = 'This login could come from anyone, so its token lives for at most 24 hours: choose a shorter life.';
    throw new Problem(400, 'input_invalid', detail, { path: 'expires_in' });
  }
  if (expiresIn !== null && ground.time.read() + life > endOf(caller)) {
    const until = new Date(endOf(caller)).toISOString();
    throw new PosternError(
      'expiry_beyond',
      `is beyond ${until}, the end of your own token: choose a shorter life, or leave it out`,
      {
        path: 'expires_in',
      },
    );
  }
  return life;
}
