import type * as z from 'zod';
import { isPosternError } from '../../domain/errors.js';
import type { TokenRecord } from '../../domain/token-record.js';
import type { ListTokens, TokenCount } from '../../managing/tokens-api.js';
import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import { Problem, scopeMissing, tokenUnknown } from '../http/problem.js';
import { assertMayManageSome, assertMaySee, can, managed, managesOwn, sees } from '../permissions.js';
import { standingShape } from '../wire/limits.js';
import {
  issuedTokenAnswer,
  newToken,
  nothing,
  rotation,
  tokenAnswer,
  tokenChanges,
  tokenDetailAnswer,
  tokenPageAnswer,
  tokenQuery,
} from '../wire/schemas.js';
import { shortened } from '../wire/shortened.js';
import { secretShape, tokenShape, tokenShapes } from '../wire/tokens.js';
import type { Token } from '../wire/types.js';
import { type CallerCall, type Route, route } from './route.js';
import { assertCounted, changesFrom, creationFrom, needed, toldAsRead, typesFrom } from './token-input.js';

const TOKENS = '/api/v1/api_tokens';
const TOKEN = `${TOKENS}/{uid}`;
const tag = 'API tokens';

/** API tokens: the routes of BentoCloud's clients, and further ones. */
export const tokenRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: TOKENS,
    id: 'listTokens',
    summary:
      'Tokens of the organization, newest first; without iam:read a person sees their own, or the organization’s',
    tag,
    query: tokenQuery,
    answer: tokenPageAnswer,
    permit: assertMaySee,
    async handle(call) {
      const { context, library, query } = call;
      const { start = 0, count, cursor } = query;
      if (cursor !== undefined && start > 0) {
        throw new Problem(400, 'input_invalid', 'start and cursor both set the start of the page: give one of them.', {
          path: 'cursor',
        });
      }
      const filter = filterFor(context, call.caller, query);
      const asked = { ...filter, limit: count };
      const isNumbered = query.start !== undefined && cursor === undefined;
      const [page, total] = await Promise.all([
        isNumbered ? pageByNumber(call, { ...asked, offset: start }) : pageByCursor(call, { ...asked, cursor }),
        library.tokens.count(filter),
      ]);
      const { items, passed, next_cursor } = page;
      return {
        body: {
          start,
          count: next_cursor !== null && passed > 0 ? passed : count,
          total: totalFor(page, start, total),
          more: total.more,
          items,
          next_cursor,
        },
      };
    },
  }),

  route({
    method: 'POST',
    path: TOKENS,
    id: 'createToken',
    summary: 'Makes a token. The answer shows its secret, this once',
    tag,
    body: newToken,
    answer: issuedTokenAnswer,
    permit: assertMayManageSome,
    async handle({ context, caller, library, body, owners }) {
      const ownership = body.ownership ?? 'personal';
      if (ownership === 'organization' && !can(context, caller, 'manageTokens')) {
        throw scopeMissing(context.settings.permissions.manageTokens, "make tokens of the organization's own");
      }
      const types = needed(typesFrom(body, context.words), context);
      assertCounted(body, context);
      const creating = library.tokens.create({ ...creationFrom(body), types, ownership });
      const { token, record } = await toldAsRead(body.expired_at, creating);
      return { body: { ...(await tokenShape(context, owners, record)), token } };
    },
  }),

  route({
    method: 'GET',
    path: TOKEN,
    id: 'getToken',
    summary: 'One token',
    tag,
    answer: tokenDetailAnswer,
    refusals: [404],
    permit: assertMaySee,
    async handle(call) {
      return { body: await detail(call) };
    },
  }),

  route({
    method: 'PATCH',
    path: TOKEN,
    id: 'updateToken',
    summary: 'Changes a token. Fields that are left out or null stay as they are (expired_at: null is "never")',
    tag,
    body: tokenChanges,
    answer: tokenAnswer,
    refusals: [404, 409],
    permit: assertMayManageSome,
    async handle(call) {
      const { context, library, body, owners } = call;
      const { id } = await toManage(call);
      assertCounted(body, context);
      const changes = changesFrom(body, context.words);
      const record = await toldAsRead(body.expired_at, library.tokens.update(id, changes));
      return { body: await tokenShape(context, owners, record) };
    },
  }),

  route({
    method: 'DELETE',
    path: TOKEN,
    id: 'deleteToken',
    summary: 'Deletes a token and answers with it',
    tag,
    answer: tokenAnswer,
    refusals: [404],
    permit: assertMayManageSome,
    async handle(call) {
      const { context, owners, library } = call;
      const record = await toManage(call);
      await library.tokens.delete(record.id);
      const shown = await tokenShape(context, owners, record);
      return { body: { ...shown, deleted_at: new Date(context.ground.time.read()).toISOString() } };
    },
  }),

  route({
    method: 'POST',
    path: `${TOKEN}/rotate`,
    id: 'rotateToken',
    summary: 'A new secret for a token: the old one works until the grace ends',
    tag,
    body: rotation,
    answer: issuedTokenAnswer,
    refusals: [404, 409],
    permit: assertMayManageSome,
    async handle(call) {
      const { context, library, body, owners } = call;
      const { id } = await toManage(call);
      // The library refuses texts that are no durations.
      const { token, record } = await library.tokens.rotate(
        id,
        body.grace == null ? {} : { grace: body.grace as '1h' },
      );
      return { body: { ...(await tokenShape(context, owners, record)), token } };
    },
  }),

  route({
    method: 'POST',
    path: `${TOKEN}/revoke`,
    id: 'revokeToken',
    summary: 'Ends a token: it stays listed',
    tag,
    body: nothing,
    answer: tokenAnswer,
    refusals: [404, 409],
    permit: assertMayManageSome,
    async handle(call) {
      const { context, library, owners } = call;
      const { id } = await toManage(call);
      await library.tokens.revoke(id);
      const record = await library.tokens.get(id);
      if (record === null) throw tokenUnknown();
      return { body: await tokenShape(context, owners, record) };
    },
  }),

  route({
    method: 'POST',
    path: `${TOKEN}/reset_limits`,
    id: 'resetLimits',
    summary: 'Fills the rate limit and the quota of a token again',
    tag,
    body: nothing,
    answer: tokenDetailAnswer,
    refusals: [404, 409],
    permit: assertMayManageSome,
    async handle(call) {
      const { id } = await toManage(call);
      await call.library.tokens.resetLimits(id);
      return { body: await detail(call) };
    },
  }),
];

async function detail(call: CallerCall) {
  const record = await seen(call);
  const [shape, limits, secrets] = await Promise.all([
    tokenShape(call.context, call.owners, record),
    standings(call, record),
    call.library.tokens.secrets(record.id),
  ]);
  return { ...shape, limits, secrets: secrets.map(secretShape) };
}

/** A limiter that is down does not hide the token. Its fault is reported. */
async function standings({ library }: CallerCall, { id }: TokenRecord) {
  const limits = await library.tokens.limits(id).catch((error: unknown) => {
    if (isPosternError(error) && error.code === 'unavailable') return null;
    throw error;
  });
  return limits?.map(standingShape) ?? null;
}

/** The filter of a caller's list: the query, within the tokens that the caller may see. @throws Problem 403 */
function filterFor(context: Context, caller: Caller, query: z.output<typeof tokenQuery>): ListTokens {
  const { search, type, owner, ownership, state } = query;
  // The library refuses a text that is no duration.
  const expires = query.expires as ListTokens['expires'];
  const asked = { search: search || undefined, type, owner, ownership, state, expires };
  if (can(context, caller, 'listTokens')) return asked;
  if (ownership === 'organization') return asked;
  const own = managesOwn(caller) ? caller.principal.owner : null;
  if (own === null || (owner !== undefined && owner !== own)) {
    throw scopeMissing(context.settings.permissions.listTokens, "see other people's tokens");
  }
  return { ...asked, owner: own, ownership: 'personal' };
}

async function seen({ context, caller, library, params }: CallerCall) {
  const record = await library.tokens.get(params.uid as string);
  if (record === null || !sees(context, caller, record)) throw tokenUnknown();
  return record;
}

async function toManage({ context, caller, library, params }: CallerCall) {
  return managed(context, caller, await library.tokens.get(params.uid as string));
}

interface ShownPage {
  readonly items: readonly Token[];
  /** Its tokens, those with damaged records included, which are left out. */
  readonly passed: number;
  readonly next_cursor: string | null;
}

/** Whole tokens, as many as fit into one page. */
async function pageByCursor(
  { context, owners, library }: CallerCall,
  query: ListTokens & { readonly limit: number },
): Promise<ShownPage> {
  const { items, unreadable, nextCursor } = await library.tokens.list(query);
  const shapes = await tokenShapes(context, owners, items);
  return { items: shapes, passed: items.length + unreadable, next_cursor: nextCursor };
}

/** As many tokens as requested. Clients that step by a fixed count would never see those behind a cut. */
async function pageByNumber(
  call: CallerCall,
  { offset, limit, ...filter }: ListTokens & { readonly limit: number },
): Promise<ShownPage> {
  const shown: Token[] = [];
  let passed = 0;
  let from: Pick<ListTokens, 'offset' | 'cursor'> = { offset };
  for (;;) {
    const page = await call.library.tokens.list({ ...filter, ...from, limit: limit - passed });
    shown.push(...(await tokenShapes(call.context, call.owners, page.items)).map(shortened));
    passed += page.items.length + page.unreadable;
    if (!page.cut) return { items: shown, passed, next_cursor: page.nextCursor };
    from = { cursor: page.nextCursor };
  }
}

/** BentoCloud's client pages by number until the total. A total that was not counted to its end is never reached. */
function totalFor({ passed, next_cursor }: ShownPage, start: number, { count, more }: TokenCount): number {
  if (!more) return count;
  const end = start + passed;
  return Math.max(count, next_cursor !== null && passed > 0 ? end + 1 : end);
}
