import { Metadata, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import express, { type Request, type RequestHandler, type Response } from 'express';
import type { Postern } from 'postern';
import { guard } from 'postern/express';
import { guard as fetchGuard } from 'postern/fetch';
import { guard as grpcGuard } from 'postern/grpc';
import { memoryRateLimiter } from 'postern/limits';
import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { jwt, scripted, vouch } from '../support/authenticator.js';
import * as grpc from './grpc/harness.js';
import { serve } from './support.js';

const ANYONE = { authenticated: true } as const;
const READER = { scope: 'models:read' } as const;
const BOUND = jwt('bound');

/** Two tokens bound to one key, and proofs `<method> <target> <number>` that are accepted once each. */
function boundWorld() {
  const spent = new Set<string>();
  const { authenticator } = scripted(() =>
    vouch({
      async prove({ method, proof }, _now, spend) {
        const jti = proof?.jwt ?? '';
        if (!jti.startsWith(`${method} ${proof?.target} `) || spent.has(jti)) return false;
        if (spend) spent.add(jti);
        return true;
      },
    }),
  );
  return createTestPostern({ authenticators: [authenticator] }).postern as Postern;
}

/** An application with a guard, a step that changes the request, and another guard. */
async function between(postern: Postern, tamper: (request: Request) => unknown, inner = guard(postern, READER)) {
  const app = express();
  let reached = 0;
  app.use(guard(postern, ANYONE));
  app.use(async (request, _response, next) => {
    await tamper(request);
    next();
  });
  app.use(inner, (_request, response) => {
    reached++;
    response.send('reached');
  });
  const port = await serve(app);
  const call = async (dpop = 'GET /x 1', token = BOUND) =>
    (await fetch(`http://127.0.0.1:${port}/x`, { headers: { authorization: `DPoP ${token}`, dpop } })).status;
  return { call, reached: () => reached };
}

describe('a proof of possession before two guards', () => {
  test('is accepted by both for one request, and for no other request', async () => {
    const { call, reached } = await between(boundWorld(), () => {});
    expect(await call()).toBe(200);
    expect(await call()).toBe(401);
    expect(await call('GET /x 2')).toBe(200);
    expect(reached()).toBe(2);
  });

  test('is accepted for one of several concurrent requests', async () => {
    const { call, reached } = await between(boundWorld(), () => new Promise((resolve) => setImmediate(resolve)));
    const statuses = await Promise.all([call(), call(), call()]);
    expect(statuses.toSorted()).toEqual([200, 401, 401]);
    expect(reached()).toBe(1);
  });

  test.each<[string, (request: Request) => void]>([
    ['is refused by the second guard for another method', (request) => Object.assign(request, { method: 'DELETE' })],
    ['is refused by the second guard for another target', (request) => Object.assign(request, { originalUrl: '/y' })],
    [
      'is refused by the second guard for another token',
      (request) => {
        request.headers.authorization = `DPoP ${jwt('other')}`;
      },
    ],
    ['is refused by the second guard if it is removed', (request) => void delete request.headers.dpop],
    [
      'is refused by the second guard if replaced by a used one',
      (request) => {
        request.headers.dpop = 'GET /x 0';
      },
    ],
    [
      'is refused by the second guard if the token has another scheme',
      (request) => {
        request.headers.authorization = `Bearer ${BOUND}`;
      },
    ],
  ])('%s', async (_, tamper) => {
    const postern = boundWorld();
    const earlier = await between(postern, () => {});
    expect(await earlier.call('GET /x 0')).toBe(200);
    const { call, reached } = await between(postern, tamper);
    expect(await call()).toBe(401);
    expect(reached()).toBe(0);
  });

  test('is used up by a guard that denies', async () => {
    const postern = boundWorld();
    const app = express();
    const onDenied = (_denial: unknown, request: Request, response: Response) =>
      new Promise<void>((resolve) => {
        const second = guard(postern, READER);
        void second(request, response, () => response.send('reached'));
        response.on('close', resolve);
      });
    app.use(guard(postern, { scope: 'iam:write' }, { onDenied }));
    const port = await serve(app);
    const headers = { authorization: `DPoP ${BOUND}`, dpop: 'GET / 1' };
    expect((await fetch(`http://127.0.0.1:${port}/`, { headers })).status).toBe(401);
  });
});

async function limitedWorld(points = 2) {
  const store = controlledStore();
  const { postern } = createTestPostern({ store, rateLimiter: memoryRateLimiter(), cache: false });
  const make = () =>
    postern.tokens.create({
      name: 'x',
      types: { developer: { scopes: ['models:read'] } },
      rateLimit: { points, duration: '1h' },
    });
  const [one, other] = [await make(), await make()];
  const left = async (token: string) => {
    const decision = await postern.authorize({ token, requirement: ANYONE });
    return decision.allowed ? decision.limit?.remaining : 'none';
  };
  return { postern, store, one, other, left };
}

/** Runs guards on one request at the same time, and answers with their outcomes. */
function together(...guards: RequestHandler[]): RequestHandler {
  return async (request, response) => {
    const outcomes = guards.map(
      (each) =>
        new Promise<boolean>((resolve) => {
          const own = Object.create(response, {
            end: { value: () => resolve(false) },
            setHeader: { value: () => {} },
            set: { value: () => {} },
          }) as Response;
          void each(request, own, () => resolve(true));
        }),
    );
    response.json(await Promise.all(outcomes));
  };
}

describe('concurrent guards of one request', () => {
  test('charge it once, while all decisions are pending', async () => {
    const { postern, one, left } = await limitedWorld(10);
    const app = express();
    app.use(together(...Array.from({ length: 5 }, () => guard(postern, READER))));
    const port = await serve(app);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${one.token}` } });
    expect(await answer.json()).toEqual([true, true, true, true, true]);
    expect(await left(one.token)).toBe(8);
  });

  test('judge each its own requirement', async () => {
    const { postern, one, left } = await limitedWorld(10);
    const app = express();
    const writer = { scope: 'models:write' } as const;
    app.use(together(guard(postern, writer), guard(postern, READER), guard(postern, writer), guard(postern, ANYONE)));
    const port = await serve(app);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${one.token}` } });
    expect(await answer.json()).toEqual([false, true, false, true]);
    expect(await left(one.token)).toBe(8);
  });

  test('all deny if the store fails', async () => {
    const { postern, store, one } = await limitedWorld(10);
    store.fail('findTokenByDigest', 'reject');
    const app = express();
    app.use(together(guard(postern, READER), guard(postern, ANYONE)));
    const port = await serve(app);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${one.token}` } });
    expect(await answer.json()).toEqual([false, false]);
  });
});

describe('a request that was charged once', () => {
  test('is denied with another credential', async () => {
    const { postern, one, other, left } = await limitedWorld(10);
    const app = express();
    const swap = (token: string): RequestHandler => {
      return (request, _response, next) => {
        request.headers.authorization = `Bearer ${token}`;
        next();
      };
    };
    const anyone = guard(postern, ANYONE);
    app.use(anyone, swap(other.token), anyone, swap('pst_nobody'), anyone, (_request, response) => {
      response.send('reached');
    });
    const port = await serve(app);
    const headers = { authorization: `Bearer ${one.token}` };
    expect((await fetch(`http://127.0.0.1:${port}/`, { headers })).status).toBe(401);
    expect([await left(one.token), await left(other.token)]).toEqual([8, 8]);
  });

  test('is not charged again with its first credential after another one', async () => {
    const { postern, one, other, left } = await limitedWorld(10);
    const anyone = fetchGuard(postern, ANYONE, () => new Response('x'));
    const request = new Request('http://x/', { headers: { authorization: `Bearer ${one.token}` } });
    for (const token of [one.token, other.token, one.token, other.token]) {
      request.headers.set('authorization', `Bearer ${token}`);
      expect((await anyone(request)).status).toBe(200);
    }
    expect([await left(one.token), await left(other.token)]).toEqual([8, 8]);
  });

  test('is denied by the second guard if its token was revoked in between', async () => {
    const { postern, one } = await limitedWorld();
    const app = express();
    const anyone = guard(postern, ANYONE);
    const revoke: RequestHandler = async (_request, _response, next) => {
      await postern.tokens.revoke(one.record.id);
      next();
    };
    app.use(anyone, revoke, anyone, (_request, response) => void response.send('reached'));
    const headers = { authorization: `Bearer ${one.token}` };
    expect((await fetch(`http://127.0.0.1:${await serve(app)}/`, { headers })).status).toBe(401);
  });

  test('gives no further call from a used-up limit, also if onDenied asks again', async () => {
    const { postern, one } = await limitedWorld(1);
    let reached = 0;
    let rounds = 0;
    const again: RequestHandler = guard(postern, ANYONE, {
      onDenied: (_denial, request, response) => {
        if (++rounds < 5) return again(request, response, () => reached++);
        return undefined;
      },
    });
    const app = express();
    app.use(again, (_request, response) => {
      reached++;
      response.send('reached');
    });
    const port = await serve(app);
    const headers = { authorization: `Bearer ${one.token}` };
    expect((await fetch(`http://127.0.0.1:${port}/`, { headers })).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/`, { headers })).status).toBe(429);
    expect([reached, rounds]).toEqual([1, 5]);
  });

  test('is judged anew by another instance', async () => {
    const { postern, one } = await limitedWorld(1);
    const { postern: stranger } = createTestPostern();
    const handler = fetchGuard(
      postern,
      ANYONE,
      fetchGuard(stranger, ANYONE, () => new Response('x')),
    );
    const request = new Request('http://x/', { headers: { authorization: `Bearer ${one.token}` } });
    expect((await handler(request)).status).toBe(401);
  });

  test('is one gRPC call, also if an interceptor reuses the metadata for every call', async () => {
    const { postern, one } = await limitedWorld(2);
    const shared = new Metadata();
    shared.set('authorization', `Bearer ${one.token}`);
    const same: ServerInterceptor = (_method, call) =>
      new ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMetadata: (_metadata, pass) => pass(shared),
            onReceiveMessage: (message, pass) => pass(message),
            onReceiveHalfClose: (pass) => pass(),
            onCancel: () => {},
          }),
      });
    const interceptors = [same, grpcGuard(postern, { '/a.B/': ANYONE }), grpcGuard(postern, { '/a.B/': READER })];
    const running = await grpc.startServer({ interceptors, echo: { '/a.B/C': 'unary' } });
    const client = grpc.insecure(running.address);
    onTestFinished(() => {
      client.close();
      running.close();
    });
    const codes = [];
    for (let i = 0; i < 3; i++) codes.push((await grpc.call(client, { path: '/a.B/C', form: 'unary' })).code);
    expect(codes).toEqual([0, 0, 8]);
  });
});
