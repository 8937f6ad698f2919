import * as z from 'zod';
import { TITLES } from '../transports/problem.js';
import type { Context } from './context.js';
import { openRoute, type Route } from './routes/route.js';

const problem = z
  .looseObject({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'The remedy, in a sentence' }),
    code: z.string().meta({ description: 'Stable: match on this' }),
    path: z.string().optional().meta({ description: 'The path of the wrong value in the input' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

const oauthError = z
  .strictObject({ error: z.string(), error_description: z.string() })
  .meta({ id: 'OAuthError', description: 'RFC 6749 section 5.2' });

type Json = Record<string, unknown>;

/**
 * The route of the OpenAPI document. It holds no data, so it needs no caller. The document is made at the first request, because
 * that takes longer than all other set-up of the API.
 */
export function openApiRoute(context: Context, routes: readonly Route[]): Route {
  const answer = z.looseObject({ openapi: z.string() });
  let document: Json | undefined;
  const self: Route = openRoute({
    method: 'GET',
    path: '/openapi.json',
    id: 'openApi',
    summary: 'This document',
    tag: 'Account',
    answer,
    handle: async () => {
      document ??= openApi(context, [...routes, self]);
      return { body: document, headers: { 'cache-control': 'public, max-age=300' } };
    },
  });
  return self;
}

/** OpenAPI 3.1, made from the schemas that read the input. */
function openApi({ settings }: Context, routes: readonly Route[]): Json {
  const schemas = new Schemas();
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = paths[route.path] ?? {};
    path[route.method.toLowerCase()] = operation(route, schemas);
    paths[route.path] = path;
  }
  return {
    openapi: '3.1.1',
    info: { title: 'postern management', version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: settings.basePath === '' ? '/' : settings.basePath }],
    security: [{ bearer: [] }, { apiToken: [] }, ...(settings.session ? [{ session: [] }] : [])],
    paths,
    components: {
      schemas: schemas.components,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token with developer access' },
        apiToken: { type: 'apiKey', in: 'header', name: 'X-YATAI-API-TOKEN', description: 'The same, as it is' },
        ...(settings.session && {
          session: { type: 'apiKey', in: 'cookie', name: '__Host-postern', description: 'The console’s own sign-in' },
        }),
      },
    },
  };
}

function operation(route: Route, schemas: Schemas): Json {
  const { query, body, form, access, path } = route;
  const input = form ?? body;
  const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  return {
    operationId: route.id,
    summary: route.summary,
    tags: [route.tag],
    ...(access === 'open' && { security: [] }),
    parameters: [...pathParameters(path), ...(query === undefined ? [] : queryParameters(query, schemas))],
    ...(input !== undefined && {
      requestBody: {
        required: !input.safeParse({}).success,
        content: { [type]: { schema: schemas.of(input, 'input') } },
      },
    }),
    responses: {
      200: { description: 'OK', content: { 'application/json': { schema: schemas.of(route.answer, 'output') } } },
      ...Object.fromEntries(refusalsOf(route).map((status) => [status, refusal(status, route, schemas)])),
    },
  };
}

function refusalsOf({ access, body, form, refusals = [] }: Route): readonly number[] {
  const statuses = new Set([400, 503, ...refusals]);
  if (access === 'caller') for (const status of [401, 403, 429]) statuses.add(status);
  if (body !== undefined || form !== undefined) for (const status of [413, 415]) statuses.add(status);
  return [...statuses].sort((a, b) => a - b);
}

function refusal(status: number, { oauth }: Route, schemas: Schemas): Json {
  const content =
    oauth && status === 400
      ? { 'application/json': { schema: schemas.of(oauthError, 'output') } }
      : { 'application/problem+json': { schema: schemas.of(problem, 'output') } };
  return { description: TITLES[status], content };
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => {
    return { name, in: 'path', required: true, schema: { type: 'string' } };
  });
}

function queryParameters(query: z.ZodType, schemas: Schemas): Json[] {
  const { properties = {}, required = [] } = schemas.of(query, 'input') as {
    properties?: Record<string, Json>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => {
    return { name, in: 'query', required: required.includes(name), schema };
  });
}

/** Turns zod's schemas into JSON Schemas. A schema with an id is written once, among the components. */
class Schemas {
  readonly components: Record<string, Json> = {};

  of(schema: z.ZodType, io: 'input' | 'output'): Json {
    const { $schema: _, $defs = {}, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
    for (const [name, each] of Object.entries($defs as Record<string, Json>)) this.#add(name, each);
    const { id, ...root } = json;
    if (typeof id !== 'string') return relocated(json);
    this.#add(id, root);
    return { $ref: `#/components/schemas/${id}` };
  }

  #add(name: string, schema: Json): void {
    const { id: _, $schema: __, ...rest } = schema;
    this.components[name] = relocated(rest);
  }
}

/** Turns references to zod's definitions into references to the components. */
function relocated(schema: Json): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
}
