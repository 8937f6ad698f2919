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

/** Two tokens that are bound to one key, whose proofs are `<method> <target> <number>`, each good once. */
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

/** An application with a guard, what happens to a request after it, and another guard. */
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

describe('a proof of possession between two guards', () => {
  test('is good for both of one request, and for no other request', async () => {
    const { call, reached } = await between(boundWorld(), () => {});
    expect(await call()).toBe(200);
    expect(await call()).toBe(401);
    expect(await call('GET /x 2')).toBe(200);
    expect(reached()).toBe(2);
  });

  test('of two requests that come at once lets one through', async () => {
    const { call, reached } = await between(boundWorld(), () => new Promise((resolve) => setImmediate(resolve)));
    const statuses = await Promise.all([call(), call(), call()]);
    expect(statuses.toSorted()).toEqual([200, 401, 401]);
    expect(reached()).toBe(1);
  });

  test.each<[string, (request: Request) => void]>([
    ['is for no other method', (request) => Object.assign(request, { method: 'DELETE' })],
    ['is for no other target', (request) => Object.assign(request, { originalUrl: '/y' })],
    [
      'is for no other token',
      (request) => {
        request.headers.authorization = `DPoP ${jwt('other')}`;
      },
    ],
    ['is still needed', (request) => void delete request.headers.dpop],
    [
      'is not another one that was spent before',
      (request) => {
        request.headers.dpop = 'GET /x 0';
      },
    ],
    [
      'is none where the token comes without the scheme',
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

  test('is spent by a guard that refuses, and not given back to the next one', async () => {
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

/** Runs guards on one request at the same time, and answers how many let it through. */
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

describe('guards that ask about one request at the same time', () => {
  test('charge it once, though the decisions of all are pending', async () => {
    const { postern, one, left } = await limitedWorld(10);
    const app = express();
    app.use(together(...Array.from({ length: 5 }, () => guard(postern, READER))));
    const port = await serve(app);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${one.token}` } });
    expect(await answer.json()).toEqual([true, true, true, true, true]);
    expect(await left(one.token)).toBe(8);
  });

  test('judge each by its own requirement, whatever the first one is told', async () => {
    const { postern, one, left } = await limitedWorld(10);
    const app = express();
    const writer = { scope: 'models:write' } as const;
    app.use(together(guard(postern, writer), guard(postern, READER), guard(postern, writer), guard(postern, ANYONE)));
    const port = await serve(app);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${one.token}` } });
    expect(await answer.json()).toEqual([false, true, false, true]);
    expect(await left(one.token)).toBe(8);
  });

  test('are all refused where the store can not tell', async () => {
    const { postern, store, one } = await limitedWorld(10);
    store.fail('findTokenByDigest', 'reject');
    const app = express();
    app.use(together(guard(postern, READER), guard(postern, ANYONE)));
    const port = await serve(app);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${one.token}` } });
    expect(await answer.json()).toEqual([false, false]);
  });
});

describe('what was charged once', () => {
  test('is no pass for another credential on the same request', async () => {
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

  test('is not charged again when another credential came between', async () => {
    const { postern, one, other, left } = await limitedWorld(10);
    const anyone = fetchGuard(postern, ANYONE, () => new Response('x'));
    const request = new Request('http://x/', { headers: { authorization: `Bearer ${one.token}` } });
    for (const token of [one.token, other.token, one.token, other.token]) {
      request.headers.set('authorization', `Bearer ${token}`);
      expect((await anyone(request)).status).toBe(200);
    }
    expect([await left(one.token), await left(other.token)]).toEqual([8, 8]);
  });

  test('is looked at again: a token that was revoked between two guards is refused by the second', async () => {
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

  test('is what was allowed: an onDenied that asks again and again gets no call out of a limit that is used up', async () => {
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

  test('is another instance’s business in another instance', async () => {
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

  test('is one call of gRPC, though an interceptor gives every call the same metadata', async () => {
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
