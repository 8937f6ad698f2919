import { Code, createClient, createRouterTransport } from '@connectrpc/connect';
import * as grpc from '@grpc/grpc-js';
import type { Postern } from 'postern';
import { guard as connectGuard } from 'postern/connect';
import { guard as fetchGuard } from 'postern/fetch';
import { createGateway } from 'postern/gateway';
import { guard as grpcGuard } from 'postern/grpc';
import { managementApi } from 'postern/management';
import { instrument } from 'postern/otel';
import { createTestPostern } from 'postern/testing';
import { expect, it } from 'vitest';
import { TRANSPORTS } from '../../src/domain/transport.js';
import { forwarded, PROXY } from '../gateway/world.js';
import { serviceOf } from '../transports/connect-service.js';
import { call, insecure, startServer } from '../transports/grpc/harness.js';
import { send } from '../transports/http-client.js';
import { HTTP_SERVERS } from '../transports/http-servers.js';
import { telemetry } from './telemetry.js';

const NAMES = {
  'express 5': 'express',
  'express 4': 'express',
  fastify: 'fastify',
  fetch: 'fetch',
  hono: 'hono',
  nestjs: 'nestjs',
  'nestjs on fastify': 'nestjs',
  node: 'node',
  'node upgrade': 'node',
  http: 'direct',
  'http with fetch': 'direct',
} as const satisfies Record<keyof typeof HTTP_SERVERS, string>;

/** Makes one call without a credential to a guard of each transport. */
async function countOf(make: (postern: Postern) => Promise<unknown>) {
  const { postern } = createTestPostern({ organization: 'mybentocloud' });
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  const { providers, series } = telemetry();
  instrument(postern, providers);
  await make(postern as unknown as Postern);
  const counted = (await series()).filter(({ name }) => name === 'postern.decisions');
  return counted.map(({ attributes, value }) => [attributes['postern.transport'], value]);
}

it.each(Object.entries(HTTP_SERVERS))('a decision for %s is counted by its transport', async (name, start) => {
  const counted = await countOf(async (postern) => {
    const running = await start(postern, () => {});
    const { status } = await send(running.port, { path: '/summarizer', headers: running.headers ?? [] });
    expect(status).toBe(401);
    await running.close();
  });
  expect(counted).toEqual([[NAMES[name as keyof typeof NAMES], 1]]);
});

it('a decision for grpc is counted by its transport', async () => {
  const counted = await countOf(async (postern) => {
    const path = '/a.B/C';
    const interceptors = [grpcGuard(postern, { [path]: { endpoint: 'summarizer' } })];
    const running = await startServer({ interceptors, echo: { [path]: 'unary' } });
    const client = insecure(running.address);
    expect((await call(client, { form: 'unary', path })).code).toBe(grpc.status.UNAUTHENTICATED);
    client.close();
    running.close();
  });
  expect(counted).toEqual([['grpc', 1]]);
});

it('a decision for connect is counted by its transport', async () => {
  const counted = await countOf(async (postern) => {
    const service = serviceOf(['Summarize']);
    const guarded = connectGuard(postern, { '/table.Table/': { endpoint: 'summarizer' } });
    const transport = createRouterTransport(({ service: add }) => add(service, {}), {
      router: { interceptors: [guarded] },
    });
    const client = createClient(service, transport) as unknown as Record<string, (input: object) => Promise<unknown>>;
    await expect(client.summarize?.({})).rejects.toMatchObject({ code: Code.Unauthenticated });
  });
  expect(counted).toEqual([['connect', 1]]);
});

it('a question to a gateway, and a call of management, are counted as such', async () => {
  const gateway = await countOf(async (postern) => {
    const { fetch } = createGateway(postern, { requirement: { endpoint: 'summarizer' }, trustedProxies: [PROXY] });
    expect((await fetch(forwarded(), { address: PROXY })).status).toBe(401);
  });
  expect(gateway).toEqual([['gateway', 1]]);
  const management = await countOf(async (postern) => {
    const { token } = await createTestPostern().issue({ scopes: ['models:read'] });
    const headers = { authorization: `Bearer ${token}` };
    const answer = await managementApi(postern)(new Request('http://x/api/v1/api_tokens', { headers }));
    expect(answer.status).toBe(401);
  });
  expect(management).toEqual([['management', 1]]);
});

it('a fault in a guard is counted by its transport', async () => {
  const counted = await countOf(async (postern) => {
    const requirement = () => {
      throw new Error('lost');
    };
    const answer = await fetchGuard(postern, requirement, () => new Response('ok'))(new Request('http://x/'));
    expect(answer.status).toBe(500);
  });
  expect(counted).toEqual([['fetch', 1]]);
});

it('an application can not make a label of its own', async () => {
  const counted = await countOf((postern) =>
    postern.authorize({ requirement: { authenticated: true }, transport: 'anything' } as object),
  );
  expect(counted).toEqual([['_OTHER', 1]]);
});

it('every transport is tried here', () => {
  const tried = [...Object.values(NAMES), 'grpc', 'connect', 'gateway', 'management', 'direct'];
  expect([...new Set(tried)].toSorted()).toEqual([...TRANSPORTS, 'direct'].toSorted());
});
