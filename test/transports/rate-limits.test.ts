import express from 'express';
import fastify from 'fastify';
import { guard as expressGuard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { guard as fetchGuard } from 'postern/fetch';
import { memoryRateLimiter } from 'postern/limits';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { httpAnswers } from '../../src/transports/http-answer.js';
import { rateLimitHeaders, retryAfter } from '../../src/transports/rate-limit-headers.js';
import { serve } from './support.js';

async function setUp() {
  const { postern } = createTestPostern({ rateLimiter: memoryRateLimiter() });
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  const { token } = await postern.tokens.create({
    name: 'test',
    types: { user: { endpoints: '*' } },
    rateLimit: { points: 1, duration: '1h' },
  });
  return { postern, headers: { authorization: `Bearer ${token}` } };
}

const requirement = { endpoint: 'summarizer' } as const;

async function expectLimited(call: () => Promise<{ status: number; headers: Headers }>) {
  const first = await call();
  expect(first.status).toBe(200);
  expect(first.headers.get('ratelimit-policy')).toBe('"rate";q=1;w=3600');
  expect(first.headers.get('ratelimit')).toMatch(/^"rate";r=0;t=(3600|3599)$/);
  expect(first.headers.get('retry-after')).toBeNull();
  const second = await call();
  expect(second.status).toBe(429);
  expect(second.headers.get('www-authenticate')).toBeNull();
  expect(second.headers.get('ratelimit-policy')).toBe('"rate";q=1;w=3600');
  expect(second.headers.get('ratelimit')).toMatch(/^"rate";r=0;t=(3600|3599)$/);
  expect(second.headers.get('retry-after')).toMatch(/^(3600|3599)$/);
}

describe('the headers of a rate limit', () => {
  it('are sent by Express', async () => {
    const { postern, headers } = await setUp();
    const app = express();
    app.use(expressGuard(postern, requirement), (_request, response) => {
      response.send('reached');
    });
    const port = await serve(app);
    await expectLimited(() => fetch(`http://127.0.0.1:${port}/`, { headers }));
  });

  it('are sent by Fastify', async () => {
    const { postern, headers } = await setUp();
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(posternPlugin, { postern });
    app.get('/', { config: { requirement } }, () => 'reached');
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    await expectLimited(() => fetch(address, { headers }));
  });

  it('are sent by fetch, also on immutable responses', async () => {
    for (const respond of [() => new Response('reached'), () => fetch('data:text/plain,reached')]) {
      const { postern, headers } = await setUp();
      const handler = fetchGuard(postern, requirement, respond);
      await expectLimited(() => handler(new Request('http://localhost/', { headers })));
    }
  });
});

describe('the numbers in the headers of a limit', () => {
  const limit = { policy: 'quota', points: 10, duration: 86_400_000, remaining: 3, resetIn: 1_001 } as const;

  it('are whole seconds, rounded up', () => {
    expect(rateLimitHeaders(limit)).toEqual({
      'RateLimit-Policy': '"quota";q=10;w=86400',
      RateLimit: '"quota";r=3;t=2',
    });
    expect(retryAfter(limit)).toBe('2');
    expect(retryAfter({ ...limit, resetIn: 0 })).toBe('1');
  });

  it('are not kept for the next denial', () => {
    const answer = httpAnswers();
    const denied = (resetIn: number) =>
      answer({ allowed: false, reason: 'rate_limited', limit: { ...limit, resetIn } });
    expect(denied(5_000).headers['Retry-After']).toBe('5');
    expect(denied(2_000).headers['Retry-After']).toBe('2');
  });
});
