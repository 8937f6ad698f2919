import { guard } from 'postern/fetch';
import { createTestPostern } from 'postern/testing';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { leasesOf } from '../support/leases.js';

const url = 'http://localhost/';

async function setUp() {
  const world = createTestPostern();
  await world.postern.endpoints.create({ id: 'live', access: 'protected' });
  const { token, record } = await world.issue({ endpoints: ['live'], scopes: ['models:read'] });
  const ask = () => new Request(url, { headers: { authorization: `Bearer ${token}` } });
  return { ...world, record, ask };
}

it('a waitUntil that rejects is reported, and does not end the process', async () => {
  const { postern, events, ask } = await setUp();
  const rejections: unknown[] = [];
  const note = (error: unknown) => rejections.push(error);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const handler = guard(postern, { endpoint: 'live' }, () => new Response('reached'), {
    waitUntil: async () => {
      throw new Error('the request is over');
    },
  });
  expect(await (await handler(ask())).text()).toBe('reached');
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(rejections).toEqual([]);
  expect(events).toContainEqual(expect.objectContaining({ type: 'fault' }));
});

it('a stream ends with the decision of an inner guard, also if the outer handler has read its signal before', async () => {
  const { postern, record, ask } = await setUp();
  const ended: unknown[] = [];
  const inner = guard(postern, { endpoint: 'live' }, (_request, { signal }) => {
    signal.addEventListener('abort', () => ended.push(signal.reason.reason));
    return new Response(new ReadableStream({ pull() {} }));
  });
  const outer = guard(postern, { authenticated: true }, (request, { signal }) =>
    inner(signal.aborted ? ask() : request),
  );
  const answer = await outer(ask());
  expect(answer.status).toBe(200);
  await postern.tokens.update(record.id, { types: { developer: { scopes: ['models:read'] } } });
  await eventually(async () => expect(ended).toEqual(['endpoint_not_granted']));
  await eventually(async () => expect(leasesOf(postern).count()).toEqual({ leases: 0, groups: 0 }));
  await answer.body?.cancel();
});

it('the leases of two guards end with the body', async () => {
  const { postern, ask } = await setUp();
  const inner = guard(postern, { endpoint: 'live' }, (_request, { signal }) => new Response(String(signal.aborted)));
  const outer = guard(postern, { authenticated: true }, (request, { signal }) =>
    inner(signal.aborted ? ask() : request),
  );
  const answer = await outer(ask());
  expect(leasesOf(postern).count().leases).toBe(3);
  expect(await answer.text()).toBe('false');
  expect(leasesOf(postern).count().leases).toBe(0);
});
