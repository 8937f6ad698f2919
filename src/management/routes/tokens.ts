import type * as z from 'zod';
import type { TokenRecord } from '../../domain/token-record.js';
import type { ListTokens, Page, TokenCount } from '../../managing/tokens-api.js';
import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import { Problem, scopeMissing, tokenUnknown } from '../http/problem.js';
import { assertMayManageSome, assertMaySee, can, managed, managesOwn, sees } from '../permissions.js';
import {
  issuedTokenAnswer,
  newToken,
  nothing,
  rotation,
  tokenAnswer,
  tokenChanges,
  tokenPageAnswer,
  tokenQuery,
  usageAnswer,
} from '../wire/schemas.js';
import { tokenShape, tokenShapes } from '../wire/tokens.js';
import { type CallerCall, type Route, route } from './route.js';
import { changesFrom, creationFrom, needed, toldAsRead, typesFrom } from './token-input.js';

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
      const { context, library, query, owners } = call;
      const { start, count, cursor } = query;
      if (cursor !== undefined && start > 0) {
        throw new Problem(400, 'input_invalid', 'start and cursor both set the start of the page: give one of them.', {
          path: 'cursor',
        });
      }
      const filter = filterFor(context, call.caller, query);
      const [page, total] = await Promise.all([
        library.tokens.list({ ...filter, limit: count, ...(cursor === undefined ? { offset: start } : { cursor }) }),
        library.tokens.count(filter),
      ]);
      const items = await tokenShapes(context, owners, page.items);
      return {
        body: {
          start,
          count: isShort(page, count) ? items.length : count,
          total: totalFor(page, start, total),
          more: total.more,
          items,
          next_cursor: page.nextCursor,
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
    answer: tokenAnswer,
    refusals: [404],
    permit: assertMaySee,
    async handle(call) {
      return { body: await tokenShape(call.context, call.owners, await seen(call)) };
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
    method: 'GET',
    path: `${TOKEN}/usage`,
    id: 'tokenUsage',
    summary: 'The uses of a token, by endpoint',
    tag,
    answer: usageAnswer,
    refusals: [404],
    permit: assertMaySee,
    async handle(call) {
      const { id } = await seen(call);
      const uses = await call.library.tokens.usage(id);
      const items = uses.map(({ endpoint, count, lastUsedAt }) => {
        return { endpoint, count, last_used_at: lastUsedAt.toISOString() };
      });
      return { body: { items } };
    },
  }),
];

/** The filter of a caller's list: the query, within the tokens that the caller may see. @throws Problem 403 */
function filterFor(context: Context, caller: Caller, query: z.output<typeof tokenQuery>): ListTokens {
  const { search, type, owner, ownership } = query;
  const asked = { search: search || undefined, type, owner, ownership };
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

/** Whether a page has fewer items than requested although there are more. A client that pages by number continues behind them. */
function isShort({ items, nextCursor }: Page<TokenRecord>, count: number): boolean {
  return nextCursor !== null && items.length > 0 && items.length < count;
}

/** BentoCloud's client pages by number until the total. A total that was not counted to its end is never reached. */
function totalFor({ items, nextCursor }: Page<TokenRecord>, start: number, { count, more }: TokenCount): number {
  if (!more) return count;
  const end = start + items.length;
  return Math.max(count, nextCursor !== null && items.length > 0 ? end + 1 : end);
}
