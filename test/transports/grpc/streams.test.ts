import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { internalsOf } from '../../../src/instance/internals.js';
import { leasesOf } from '../../support/leases.js';
import { createWorld } from '../world.js';
import { bearer, FORMS, type Form } from './harness.js';
import { type HandlerCall, PATH, serve } from './held-calls.js';

afterEach(() => {
  vi.restoreAllMocks();
});
type Setup = Awaited<ReturnType<typeof createWorld>>;

/** What ends a right, and what the client is told. */
const ENDS: readonly {
  readonly name: string;
  readonly requirement: { endpoint: string } | { scope: 'models:read' };
  readonly end: (world: Setup, id: string) => Promise<unknown>;
  readonly code: grpc.status;
  readonly details: string;
}[] = [
  {
    name: 'its token is revoked',
    requirement: { endpoint: 'summarizer' },
    end: ({ postern }, id) => postern.tokens.revoke(id),
    code: grpc.status.UNAUTHENTICATED,
    details: 'The token was revoked.',
  },
  {
    name: 'its token is deleted',
    requirement: { endpoint: 'summarizer' },
    end: ({ postern }, id) => postern.tokens.delete(id),
    code: grpc.status.UNAUTHENTICATED,
    details: 'The token is not valid.',
  },
  {
    name: 'its token expires',
    requirement: { endpoint: 'summarizer' },
    end: async ({ clock, postern }) => {
      clock.advance('1h');
      leasesOf(postern).lookAtAll();
    },
    code: grpc.status.UNAUTHENTICATED,
    details: 'The token has expired.',
  },
  {
    name: 'its scope is taken away',
    requirement: { scope: 'models:read' },
    end: ({ postern }, id) => postern.tokens.update(id, { types: { user: { endpoints: '*' } } }),
    code: grpc.status.PERMISSION_DENIED,
    details: 'The token does not hold the scope that this needs.',
  },
  {
    name: 'its endpoint is taken away',
    requirement: { endpoint: 'summarizer' },
    end: ({ postern }, id) => postern.tokens.update(id, { types: { user: { endpoints: ['translator'] } } }),
    code: grpc.status.PERMISSION_DENIED,
    details: 'The token does not reach this endpoint.',
  },
  {
    name: 'the endpoint is deleted',
    requirement: { endpoint: 'summarizer' },
    end: ({ postern }) => postern.endpoints.delete('summarizer'),
    code: grpc.status.NOT_FOUND,
    details: 'There is nothing here.',
  },
  {
    name: 'a public endpoint becomes private',
    requirement: { endpoint: 'status' },
    end: ({ postern }) => postern.endpoints.update('status', { access: 'private' }),
    code: grpc.status.NOT_FOUND,
    details: 'There is nothing here.',
  },
];

describe.each(FORMS)('an open call (%s)', (form) => {
  it.each(ENDS)('is closed once $name', async ({ requirement, end, code, details }) => {
    const world = await createWorld();
    const { token, record } = await world.postern.tokens.create({
      name: 'long',
      types: { user: { endpoints: '*' }, developer: { scopes: ['models:read'] } },
      expiresIn: '1h',
    });
    const { open } = await serve(world.postern, { [PATH]: requirement });
    const { status, cancelled, handlerCall } = await open(form, bearer(token));
    await end(world, record.id);
    expect(await status).toMatchObject({ code, details });
    await cancelled;
    expect(handlerCall.cancelled).toBe(true);
  });

  it('of another token goes on', async () => {
    const world = await createWorld();
    const { postern } = world;
    const { token, record } = await postern.tokens.create({ name: 'ends', types: { developer: { scopes: ['*'] } } });
    const { open } = await serve(postern, { [PATH]: { scope: 'models:read' } });
    const stays = await open(form, bearer(world.tokens.developer));
    const ends = await open(form, bearer(token));
    await postern.tokens.revoke(record.id);
    expect((await ends.status).code).toBe(grpc.status.UNAUTHENTICATED);
    expect(stays.handlerCall.cancelled).toBe(false);
    answer(form, stays.handlerCall);
    expect((await stays.status).code).toBe(grpc.status.OK);
  });

  it('takes nothing more from its handler, and answers once', async () => {
    const world = await createWorld();
    const { token, record } = await world.postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });
    const { open } = await serve(world.postern, { [PATH]: { scope: 'models:read' } });
    const responses: unknown[] = [];
    const { status, cancelled, handlerCall, http2 } = await open(form, bearer(token), (each) => responses.push(each));
    const gone = once(http2, 'close');
    await world.postern.tokens.revoke(record.id);
    await cancelled;
    handlerCall.on('error', () => {});
    answer(form, handlerCall);
    expect((await status).code).toBe(grpc.status.UNAUTHENTICATED);
    await gone;
    expect(responses).toEqual([]);
  });

  it('leaves nothing behind, however it ends', async () => {
    const world = await createWorld();
    const leases = leasesOf(world.postern);
    const { open } = await serve(world.postern, { [PATH]: { scope: 'models:read' } });
    const answered = await open(form, bearer(world.tokens.developer));
    const left = await open(form, bearer(world.tokens.developer));
    expect(leases.count().leases).toBe(2);
    answer(form, answered.handlerCall);
    expect((await answered.status).code).toBe(grpc.status.OK);
    left.clientCall.cancel();
    await left.cancelled;
    expect(leases.count()).toEqual({ leases: 0, groups: 0 });
  });
});

function answer(form: Form, handlerCall: HandlerCall): void {
  if (form === 'unary' || form === 'clientStream') handlerCall.callback?.(null, 'done');
  else {
    handlerCall.write('done');
    handlerCall.end();
  }
}

describe('the lease of a call', () => {
  it('ends it with the form that onDenied gives', async () => {
    const world = await createWorld();
    const { token, record } = await world.postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });
    const { open } = await serve(
      world.postern,
      { [PATH]: { authenticated: true } },
      { onDenied: ({ reason }, { path }) => ({ details: `${path} ${reason}` }) },
    );
    const { status } = await open('bidi', bearer(token));
    await world.postern.tokens.revoke(record.id);
    expect(await status).toMatchObject({ code: grpc.status.UNAUTHENTICATED, details: '/long.Svc/bidi token_revoked' });
  });

  it('ends it with UNAVAILABLE when the instance is closed', async () => {
    const world = await createWorld();
    const { open } = await serve(world.postern, { [PATH]: { authenticated: true } });
    const { status, cancelled } = await open('bidi', bearer(world.tokens.developer));
    await world.postern.close();
    expect((await status).code).toBe(grpc.status.UNAVAILABLE);
    await cancelled;
  });

  it('asks what was asked at the start, whatever the handler did to the metadata', async () => {
    const world = await createWorld();
    const leases = leasesOf(world.postern);
    const needed = { endpoint: '' };
    const seen = { requirement: 0, zone: 0 };
    const { open } = await serve(
      world.postern,
      {
        [PATH]: ({ metadata }) => {
          seen.requirement++;
          needed.endpoint = String(metadata.get('x-endpoint')[0]);
          return needed;
        },
      },
      {
        zone: () => {
          seen.zone++;
          return 'external';
        },
      },
    );
    const metadata = bearer(world.tokens.user);
    metadata.set('x-endpoint', 'summarizer');
    const { handlerCall, status } = await open('bidi', metadata);
    handlerCall.metadata.remove('authorization');
    handlerCall.metadata.set('x-endpoint', 'nowhere');
    needed.endpoint = 'nowhere';
    const looked = vi.spyOn(internalsOf(world.postern).ground.store, 'findTokenByDigest');
    leases.lookAtAll();
    await vi.waitUntil(() => looked.mock.results.length > 0);
    await looked.mock.results[0]?.value;
    await new Promise((resolve) => setImmediate(resolve));
    expect(handlerCall.cancelled).toBe(false);
    expect(seen).toEqual({ requirement: 1, zone: 1 });
    await world.postern.endpoints.delete('summarizer');
    expect((await status).code).toBe(grpc.status.NOT_FOUND);
  });
});
