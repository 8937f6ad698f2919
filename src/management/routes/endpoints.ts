import type { AffectedToken } from '../../managing/preview.js';
import { endpointUnknown } from '../http/problem.js';
import { requirePermission, sees } from '../permissions.js';
import {
  endpointAnswer,
  endpointChanges,
  endpointPageAnswer,
  endpointQuery,
  newEndpoint,
  previewAnswer,
} from '../wire/schemas.js';
import { accessQuery } from '../wire/session-schemas.js';
import { endpointShape } from '../wire/shapes.js';
import { timeOrNull } from '../wire/time.js';
import { tokenShapes } from '../wire/tokens.js';
import { type CallerCall, type CallerRoute, type Route, route } from './route.js';

const ENDPOINTS = '/api/v1/endpoints';
const ENDPOINT = `${ENDPOINTS}/{id}`;
const tag = 'Endpoints';
const SHOWN = 100;

// biome-ignore lint/suspicious/noExplicitAny: of any route
type Permit = NonNullable<CallerRoute<any, any>['permit']>;
const read: Permit = (context, caller) => requirePermission(context, caller, 'readEndpoints', 'see endpoints');
const manage: Permit = (context, caller) => requirePermission(context, caller, 'manageEndpoints', 'manage endpoints');

/** Endpoints and who may call them. */
export const endpointRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: ENDPOINTS,
    id: 'listEndpoints',
    summary: 'Endpoints of the organization, by id',
    tag,
    query: endpointQuery,
    answer: endpointPageAnswer,
    permit: read,
    async handle({ library, query: { count, cursor } }) {
      const page = await library.endpoints.list({ limit: count, cursor });
      return { body: { items: page.items.map(endpointShape), next_cursor: page.nextCursor } };
    },
  }),

  route({
    method: 'POST',
    path: ENDPOINTS,
    id: 'createEndpoint',
    summary: 'Registers an endpoint',
    tag,
    body: newEndpoint,
    answer: endpointAnswer,
    refusals: [409],
    permit: manage,
    async handle({ library, body }) {
      return { body: endpointShape(await library.endpoints.create(body)) };
    },
  }),

  route({
    method: 'GET',
    path: ENDPOINT,
    id: 'getEndpoint',
    summary: 'One endpoint',
    tag,
    answer: endpointAnswer,
    refusals: [404],
    permit: read,
    async handle(call) {
      return { body: endpointShape(await found(call)) };
    },
  }),

  route({
    method: 'PATCH',
    path: ENDPOINT,
    id: 'updateEndpoint',
    summary: 'Changes the access of an endpoint',
    tag,
    body: endpointChanges,
    answer: endpointAnswer,
    refusals: [404, 409],
    permit: manage,
    async handle(call) {
      const { id } = await found(call);
      return { body: endpointShape(await call.library.endpoints.update(id, call.body)) };
    },
  }),

  route({
    method: 'DELETE',
    path: ENDPOINT,
    id: 'deleteEndpoint',
    summary: 'Deletes an endpoint and answers with it. Its grants reach no endpoint made later under its id',
    tag,
    answer: endpointAnswer,
    refusals: [404],
    permit: manage,
    async handle(call) {
      const endpoint = await found(call);
      await call.library.endpoints.delete(endpoint.id);
      return { body: endpointShape(endpoint) };
    },
  }),

  route({
    method: 'GET',
    path: `${ENDPOINT}/preview`,
    id: 'previewEndpoint',
    summary: 'The tokens that would gain and lose an endpoint if its access were changed',
    tag,
    query: accessQuery,
    answer: previewAnswer,
    refusals: [404],
    permit: read,
    async handle(call) {
      const { id } = await found(call);
      const { gain, lose, ...preview } = await call.library.endpoints.preview(id, call.query);
      return {
        body: {
          from: preview.from,
          to: preview.to,
          open_to_anyone: preview.openToAnyone,
          gain_count: preview.gainCount,
          lose_count: preview.loseCount,
          more: preview.more,
          gain: await affected(call, gain),
          lose: await affected(call, lose),
        },
      };
    },
  }),
];

async function found({ library, params }: CallerCall) {
  const endpoint = await library.endpoints.get(params.id as string);
  if (endpoint === null) throw endpointUnknown();
  return endpoint;
}

/** Lists only tokens that the caller may see. The counts include all. */
async function affected({ context, caller, owners }: CallerCall, tokens: readonly AffectedToken[]) {
  const shown = tokens.filter(({ record }) => sees(context, caller, record)).slice(0, SHOWN);
  const shapes = await tokenShapes(
    context,
    owners,
    shown.map(({ record }) => record),
  );
  return shapes.map((token, index) => ({ token, last_used_at: timeOrNull(shown[index]?.lastUsedAt ?? null) }));
}
