import * as grpc from '@grpc/grpc-js';
import express from 'express';
import fastify from 'fastify';
import { guard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { guard as fetchGuard } from 'postern/fetch';
import { guard as grpcGuard } from 'postern/grpc';
import { derive } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bearer as bearerMetadata, call, insecure, startServer } from '../transports/grpc/harness.js';
import { serve } from '../transports/support.js';

/** A token derived for reading only, in each transport. The guard names the method. */
async function world(methods: string[]) {
  const { postern, clock, token } = createTestPostern();
  const parent = await token({ scopes: ['models:write'] });
  const narrow = await derive(parent, { scopes: ['models:write'], methods, clock: clock.now });
  return { postern, parent, narrow };
}

const requirement = { scope: 'models:read' } as const;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('a token derived for GET reads and does not write', () => {
  test('in Express', async () => {
    const { postern, narrow, parent } = await world(['GET']);
    const app = express();
    app.all('/models', guard(postern, requirement), (_request, response) => void response.send('reached'));
    const port = await serve(app);
    const status = async (method: string, token: string) =>
      (
        await fetch(`http://127.0.0.1:${port}/models`, {
          method,
          headers: { ...bearer(token), 'x-http-method-override': 'GET' },
        })
      ).status;
    expect([await status('GET', narrow), await status('POST', narrow), await status('HEAD', narrow)]).toEqual([
      200, 403, 403,
    ]);
    expect(await status('POST', parent)).toBe(200);
  });

  test('in Fastify', async () => {
    const { postern, narrow } = await world(['GET']);
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(posternPlugin, { postern });
    app.route({ method: ['GET', 'POST'], url: '/models', config: { requirement }, handler: () => 'reached' });
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const status = async (method: string) =>
      (await fetch(`${address}/models`, { method, headers: bearer(narrow) })).status;
    expect([await status('GET'), await status('POST')]).toEqual([200, 403]);
  });

  test('in fetch', async () => {
    const { postern, narrow } = await world(['GET']);
    const handle = fetchGuard(postern, requirement, () => new Response('reached'));
    const status = async (method: string) =>
      (await handle(new Request('http://localhost/models', { method, headers: bearer(narrow) }))).status;
    expect([await status('GET'), await status('POST')]).toEqual([200, 403]);
  });
});

test('a token derived for one gRPC method is refused at every other method', async () => {
  const { postern, narrow } = await world(['/bento.Models/Get']);
  const server = await startServer({
    interceptors: [grpcGuard(postern, { '/bento.Models/': requirement })],
    echo: { '/bento.Models/Get': 'unary', '/bento.Models/Put': 'unary' },
  });
  onTestFinished(() => server.close());
  const client = insecure(server.address);
  onTestFinished(() => client.close());
  const code = async (path: string) =>
    (await call(client, { form: 'unary', path, metadata: bearerMetadata(narrow) })).code;
  expect(await code('/bento.Models/Get')).toBe(grpc.status.OK);
  expect(await code('/bento.Models/Put')).toBe(grpc.status.PERMISSION_DENIED);
  expect(server.seen.started).toEqual(['/bento.Models/Get']);
});
