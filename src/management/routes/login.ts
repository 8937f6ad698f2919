import { check } from '../../base/check.js';
import { durationOf } from '../../domain/duration.js';
import { PosternError } from '../../domain/errors.js';
import { createTokenInput } from '../../managing/inputs.js';
import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import { Problem } from '../http/problem.js';
import { approverOf, assertGrantable, issueApproved } from '../login/approver.js';
import type { Login } from '../login/logins.js';
import { LoginLimits } from '../login/windows.js';
import { assertMayManageSome, typesNow } from '../permissions.js';
import { nothing } from '../wire/schemas.js';
import {
  approval,
  collectAnswer,
  collectQuery,
  loginAnswer,
  loginQuery,
  loginRequestAnswer,
} from '../wire/session-schemas.js';
import type { LoginRequest } from '../wire/types.js';
import { openRoute, type Route, route } from './route.js';
import { needed, typesFrom } from './token-input.js';

const VERIFIER = 'x-postern-verifier';
const REQUEST = '/api/v1/auth/requests/{code}';
const tag = 'Login through the browser';
const DAY = 86_400_000;
/** Of an address in a token's name, in characters. */
const LONGEST_FROM = 150;
/** Of a token for who proved to be the one that asked. */
const LIFE = '90d';
/** Of a token for whoever has the code: it may have been sent to someone else (RFC 8628 section 5.4). */
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
      async handle({ query: { code_challenge: challenge, code_challenge_method: method }, from }) {
        if ((challenge === undefined) !== (method === undefined)) {
          throw new Problem(
            400,
            'input_invalid',
            'Give code_challenge and code_challenge_method=S256 together, or neither.',
            {
              path: 'code_challenge',
            },
          );
        }
        await limits.take('begin', from);
        return { body: { code: await context.logins.begin(challenge ?? null, from) } };
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
        await limits.take('collect', from);
        const login = await context.logins.collect(query.code, request.headers.get(VERIFIER));
        const { token } = await issueApproved(context, login.approval, from);
        return { body: { token } };
      },
    }),

    route({
      method: 'GET',
      path: REQUEST,
      id: 'getLogin',
      summary: 'A login that waits: who asks, and what it will be granted',
      tag,
      answer: loginRequestAnswer,
      refusals: [404],
      permit: assertMayManageSome,
      async handle({ caller, params }) {
        const login = await context.logins.find(params.code as string, caller.principal.organization);
        return { body: await loginShape(context, login, caller) };
      },
    }),

    route({
      method: 'POST',
      path: `${REQUEST}/approve`,
      id: 'approveLogin',
      summary: 'Approves a login: the terminal gets a personal token of yours, with what is named here',
      tag,
      body: approval,
      answer: loginRequestAnswer,
      refusals: [404, 409],
      permit: assertMayManageSome,
      async handle({ caller, params, body }) {
        const { organization } = caller.principal;
        const types = needed(typesFrom(body, context.words) ?? (await typesNow(context, caller)), context);
        const login = await context.logins.answer(params.code as string, organization, async (waiting) => {
          const expiresIn = lifeOf(waiting, body.expires_in ?? null);
          const approver = await approverOf(context, caller);
          await assertGrantable(context, caller, types);
          const name = nameOf(waiting, body.name ?? null);
          return { organization, approver, types: { ...types }, name, expiresIn };
        });
        return { body: await loginShape(context, login, caller) };
      },
    }),

    route({
      method: 'POST',
      path: `${REQUEST}/deny`,
      id: 'denyLogin',
      summary: 'Refuses a login',
      tag,
      body: nothing,
      answer: loginRequestAnswer,
      refusals: [404, 409],
      permit: assertMayManageSome,
      async handle({ caller, params }) {
        const login = await context.logins.answer(
          params.code as string,
          caller.principal.organization,
          async () => null,
        );
        return { body: await loginShape(context, login, caller) };
      },
    }),
  ];
}

async function loginShape(context: Context, login: Login, caller: Caller): Promise<LoginRequest> {
  const bound = login.challenge !== null;
  return {
    from: login.from,
    created_at: new Date(login.createdAt).toISOString(),
    expires_at: new Date(login.expiresAt).toISOString(),
    bound,
    status: login.status,
    types: (login.approval?.types ?? (await typesNow(context, caller))) as LoginRequest['types'],
    token_expires_at: bound ? null : new Date(context.ground.time.read() + DAY).toISOString(),
    token_expires_in: bound ? LIFE : UNBOUND_LIFE,
  };
}

/** As it will be asked for when the token is made: by then it is too late to give another one. @throws PosternError `input_invalid` */
function nameOf({ from }: Login, given: string | null): string {
  if (given === null) return `Login from ${[...(from ?? 'a terminal')].slice(0, LONGEST_FROM).join('')}`;
  return check(createTokenInput.pick({ name: true }), { name: given }, 'the body', 'input_invalid').name;
}

/** In milliseconds. @throws PosternError `input_invalid`, `expiry_past`; Problem 400 */
function lifeOf({ challenge }: Login, expiresIn: string | null): number {
  const life = durationOf(expiresIn ?? (challenge === null ? UNBOUND_LIFE : LIFE), 'expires_in');
  if (life === 0) throw new PosternError('expiry_past', 'is no time at all: give a longer one', { path: 'expires_in' });
  if (challenge !== null || life <= DAY) return life;
  const detail = 'Whoever has this code collects its token, so it lives for 24 hours at most: choose a shorter life.';
  throw new Problem(400, 'input_invalid', detail, { path: 'expires_in' });
}
