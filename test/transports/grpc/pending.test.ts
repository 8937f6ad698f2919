import * as grpc from '@grpc/grpc-js';
import { memoryStore } from 'postern';
import { guard } from 'postern/grpc';
import type { Store } from 'postern/store';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { gateOf, withGate } from '../../support/gate.js';
import { bearer, call, connected, FORMS, type Form, openCall, type Running, statusOf } from './harness.js';

/** A store whose token look-ups can be held. */
function gatedStore() {
  let gate: Promise<void> = Promise.resolve();
  let open: () => void = () => {};
  let arrived: () => void = () => {};
  const store = new Proxy(memoryStore(), {
    get(inner, property) {
      const value = Reflect.get(inner, property);
      if (property !== 'findTokenByDigest') return typeof value === 'function' ? value.bind(inner) : value;
      return async (digests: Parameters<Store['findTokenByDigest']>[0]) => {
        arrived();
        await gate;
        return inner.findTokenByDigest(digests);
      };
    },
  });
  return {
    store,
    /** Holds look-ups from now on. Resolves with the first held one. */
    shut(): Promise<void> {
      gate = new Promise((resolve) => {
        open = resolve;
      });
      return new Promise((resolve) => {
        arrived = resolve;
      });
    },
    open: () => open(),
  };
}

const echo = Object.fromEntries(FORMS.map((form) => [`/slow.Svc/${form}`, form]));
const pathOf = (form: Form) => `/slow.Svc/${form}`;

async function setUp(before: grpc.ServerInterceptor[] = []) {
  const gate = gatedStore();
  const { postern } = createTestPostern({ store: gate.store, cache: false });
  const { token, record } = await postern.tokens.create({
    name: 'ci',
    types: { developer: { scopes: ['models:read'] } },
  });
  const { running, client } = await connected({
    interceptors: [...before, guard(postern, { '/slow.Svc/': { scope: 'models:read' } })],
    echo,
  });
  return { postern, token, id: record.id, running, client, gate };
}

/** Reads and reports the client's messages at once. */
const readsAhead =
  (onEvent: (event: string) => void): grpc.ServerInterceptor =>
  (_method, next) =>
    new grpc.ServerInterceptingCall(next, {
      start: (begin) => {
        begin({
          onReceiveMetadata: (metadata, pass) => {
            pass(metadata);
            next.startRead();
          },
          onReceiveMessage: (message, pass) => {
            onEvent('message');
            pass(message);
            next.startRead();
          },
          onReceiveHalfClose: (pass) => {
            onEvent('half-close');
            pass();
          },
        });
      },
    });

const responsesOf = (form: Form, messages: readonly unknown[]) =>
  form === 'bidi' ? messages.map((message) => ({ got: [message] })) : [{ got: messages }];

describe('while a decision is pending', () => {
  it.each(FORMS)('%s: the handler has not begun, and gets every message after it', async (form) => {
    const { token, running, client, gate } = await setUp();
    const pending = gate.shut();
    const messages = form === 'clientStream' || form === 'bidi' ? Array.from({ length: 50 }, (_, i) => i) : [7];
    const outcome = call(client, { form, path: pathOf(form), metadata: bearer(token), messages });
    await pending;
    expect(running.seen.started).toEqual([]);
    gate.open();
    expect(await outcome).toMatchObject({ code: grpc.status.OK, responses: responsesOf(form, messages) });
    expect(running.seen.started).toEqual([pathOf(form)]);
  });

  it.each(['clientStream', 'bidi'] as const)('%s: messages are held back in order', async (form) => {
    const events: string[] = [];
    let halfClosed: () => void = () => {};
    const halfClose = new Promise<void>((resolve) => {
      halfClosed = resolve;
    });
    const { token, running, client, gate } = await setUp([
      readsAhead((event) => {
        events.push(event);
        if (event === 'half-close') halfClosed();
      }),
    ]);
    gate.shut();
    const messages = [1, 2, 3, 4, 5];
    const outcome = call(client, { form, path: pathOf(form), metadata: bearer(token), messages });
    await halfClose;
    expect(events).toEqual(['message', 'message', 'message', 'message', 'message', 'half-close']);
    expect(running.seen.started).toEqual([]);
    gate.open();
    expect(await outcome).toMatchObject({ code: grpc.status.OK, responses: responsesOf(form, messages) });
  });

  it.each(FORMS)('%s: a denial ends the call, and no held message reaches the handler', async (form) => {
    const { postern, token, id, running, client, gate } = await setUp([readsAhead(() => {})]);
    await postern.tokens.revoke(id);
    const pending = gate.shut();
    const outcome = call(client, { form, path: pathOf(form), metadata: bearer(token) });
    await pending;
    gate.open();
    expect(await outcome).toMatchObject({
      code: grpc.status.UNAUTHENTICATED,
      details: 'The token was revoked.',
      responses: [],
    });
    expect(running.seen.started).toEqual([]);
  });

  it.each(FORMS)('%s: the call of a client that leaves is not handled', async (form) => {
    let left: () => void = () => {};
    const leaving = new Promise<void>((resolve) => {
      left = resolve;
    });
    const { token, running, client, gate } = await setUp([onCancel(() => left())]);
    const pending = gate.shut();
    const open = openCall(client, { form, path: pathOf(form), metadata: bearer(token) });
    const status = statusOf(open);
    await pending;
    open.cancel();
    expect((await status).code).toBe(grpc.status.CANCELLED);
    await leaving;
    gate.open();
    await expectOnlyTheNextToBeServed(running, client, token);
  });

  it.each(FORMS)('%s: a passed deadline is answered, and the handler does not begin', async (form) => {
    let passed: () => void = () => {};
    const passing = new Promise<void>((resolve) => {
      passed = resolve;
    });
    const { token, running, client, gate } = await setUp([onCancel(() => passed())]);
    const pending = gate.shut();
    // A busy machine may need more than the deadline to reach the guard. Then the call is repeated with a longer one.
    let isPending = false;
    void pending.then(() => {
      isPending = true;
    });
    for (let allowed = 150; !isPending; allowed *= 4) {
      const options = { deadline: Date.now() + allowed };
      const open = openCall(client, { form, path: pathOf(form), metadata: bearer(token), options });
      expect((await statusOf(open)).code).toBe(grpc.status.DEADLINE_EXCEEDED);
    }
    await passing;
    gate.open();
    await expectOnlyTheNextToBeServed(running, client, token);
  });
});

describe('a warm gRPC call', () => {
  it('begins its handler in the same turn, without a promise', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['models:read'] } } });
    await postern.authenticate(token);
    const asked: string[] = [];
    const events: string[] = [];
    const gate = gateOf(postern);
    const watched = withGate(postern, {
      tryAuthorize: (attempt, mode) => {
        asked.push('tryAuthorize');
        return gate.tryAuthorize(attempt, mode);
      },
      authorize: (attempt, mode) => {
        asked.push('authorize');
        return gate.authorize(attempt, mode);
      },
    });
    const { client } = await connected({
      interceptors: [
        guard(watched, { '/slow.Svc/': { scope: 'models:read' } }),
        // Outside the guard, its start() returns after the guard's.
        (_method, next) => {
          const outer = new grpc.ServerInterceptingCall(next);
          const start = outer.start.bind(outer);
          outer.start = (listener) => {
            start(listener);
            events.push('start returned');
          };
          return outer;
        },
      ],
      handlers: {
        '/slow.Svc/bidi': [
          'bidi',
          ((handlerCall: grpc.ServerDuplexStream<unknown, unknown>) => {
            events.push('handler');
            handlerCall.end();
          }) as grpc.UntypedHandleCall,
        ],
      },
    });
    const outcome = await call(client, { form: 'bidi', path: '/slow.Svc/bidi', metadata: bearer(token) });
    expect(outcome.code).toBe(grpc.status.OK);
    expect(asked).toEqual(['tryAuthorize']);
    expect(events).toEqual(['handler', 'start returned']);
  });
});

function onCancel(then: () => void): grpc.ServerInterceptor {
  return (_method, next) => new grpc.ServerInterceptingCall(next, { start: (begin) => begin({ onCancel: then }) });
}

/** The earlier decision is made by now, and a handler it had started would be in the list. */
async function expectOnlyTheNextToBeServed(running: Running, client: grpc.Client, token: string): Promise<void> {
  const next = await call(client, { form: 'unary', path: pathOf('unary'), metadata: bearer(token) });
  expect(next.code).toBe(grpc.status.OK);
  expect(running.seen.started).toEqual([pathOf('unary')]);
}
