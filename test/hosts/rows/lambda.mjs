export const host = 'AWS Lambda';
export const how = 'serverless-http with Express; an API Gateway v2 event through hono/aws-lambda; flush()';

/** Handlers as their documentation writes them, and the events of API Gateway (payload 2.0) that call them. */
const LAMBDA = `
import assert from 'node:assert/strict';
import express from 'express';
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import serverless from 'serverless-http';
import { createPostern, memoryStore } from 'postern';
import { guard } from 'postern/express';
import { guard as honoGuard } from 'postern/hono';
import { managementApi, toNodeHandler } from 'postern/management';

const postern = createPostern({ store: memoryStore() });
const grants = { developer: { scopes: ['models:read', 'iam:write'] } };

const app = express();
app.get('/models', guard(postern, { scope: 'models:read' }), (req, res) => res.json(req.principal));
app.use(toNodeHandler(managementApi(postern)));
const hono = new Hono();
hono.get('/models', honoGuard(postern, { scope: 'models:read' }), (c) => c.json(c.get('principal')));
hono.all('/api/*', (c) => managementApi(postern)(c.req.raw));

/** Before it freezes, the function writes what waits. */
const flushed = (handler) => async (event, context) => {
  const answer = await handler(event, context);
  await postern.flush();
  return answer;
};
const handlers = { 'serverless-http': flushed(serverless(app)), 'hono/aws-lambda': flushed(handle(hono)) };

function event(method, path, token) {
  const headers = { host: 'x.execute-api.eu-central-1.amazonaws.com', 'x-forwarded-proto': 'https', ...(token && { authorization: 'Bearer ' + token }) };
  const http = { method, path, protocol: 'HTTP/1.1', sourceIp: '203.0.113.7', userAgent: 'test' };
  const requestContext = { accountId: '1', apiId: 'x', domainName: headers.host, domainPrefix: 'x', http, requestId: '1', routeKey: '$default', stage: '$default', time: '', timeEpoch: 0 };
  return { version: '2.0', routeKey: '$default', rawPath: path, rawQueryString: '', headers, requestContext, isBase64Encoded: false };
}

for (const [name, handler] of Object.entries(handlers)) {
  const { token, record } = await postern.tokens.create({ name, owner: 'ann', types: grants });
  const call = async (method, path, bearer) => (await handler(event(method, path, bearer), {})).statusCode;
  assert.equal(await call('GET', '/models'), 401, name);
  assert.equal(await call('GET', '/models', token), 200, name);
  assert.notEqual((await postern.tokens.get(record.id)).lastUsedAt, null, name + ': flush wrote no use');
  assert.equal(await call('GET', '/models', token + ', Bearer ' + token), 400, name);
  assert.equal(await call('GET', '/api/v1/api_tokens', token), 200, name + ': management');
  assert.equal(await call('DELETE', '/api/v1/api_tokens/' + record.id, token), 200, name + ': management');
  assert.equal(await call('GET', '/models', token), 401, name);
}
await postern.close();
`;

export async function run(context) {
  await context.write({ 'lambda.mjs': LAMBDA });
  await context.node(['lambda.mjs']);
  return ['in both: 401, 200, 400 for two tokens, management, a revocation; flush() wrote the use before the freeze'];
}
