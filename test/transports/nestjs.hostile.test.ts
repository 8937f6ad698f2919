import { EventEmitter } from 'node:events';
import type { ExecutionContext } from '@nestjs/common';
import { memoryRateLimiter } from 'postern';
import { PosternGuard, PosternModule, Requires } from 'postern/nestjs';
import { createTestPostern, type TestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { passagesOf } from '../../src/transports/once.js';
import { eventually } from '../support/eventually.js';
import { leasesOf } from '../support/leases.js';

class Live {
  @Requires({ authenticated: true })
  who() {}
  @Requires({ public: true })
  anyone() {}
}

/** A socket as `socket.io` has it: what its client sends is emitted on it, whatever its name. */
class Client extends EventEmitter {
  connected = true;
  readonly request: { readonly headers: Readonly<Record<string, string>>; readonly socket: null };

  constructor(headers: Readonly<Record<string, string>>) {
    super();
    this.request = { headers, socket: null };
  }

  disconnect() {
    this.connected = false;
    this.emit('disconnect');
  }
}

function setUp() {
  const world = createTestPostern({ rateLimiter: memoryRateLimiter() });
  const guard = guardOf(world);
  const ask = (client: Client, name: 'who' | 'anyone') => {
    const parts = [client, {}];
    const context = {
      getType: () => 'ws',
      switchToWs: () => ({ getClient: () => client, getPattern: () => name, getData: () => parts[1] }),
      getArgByIndex: (index: number) => parts[index],
      getHandler: () => Live.prototype[name],
      getClass: () => Live,
    } as unknown as ExecutionContext;
    return guard.canActivate(context).catch((error: { denial: { reason: string } }) => error.denial.reason);
  };
  return { ...world, ask, leases: leasesOf(world.postern) };
}

function guardOf({ postern }: TestPostern): PosternGuard {
  const [guarding] = PosternModule.forRoot({ postern }).providers as unknown as { useValue: never }[];
  return new PosternGuard(guarding?.useValue as never);
}

describe('a socket of a gateway', () => {
  it.each(['close', 'disconnect'])(
    'is closed at the revocation, also if its client has sent an event "%s"',
    async (name) => {
      const { ask, issue, postern, leases } = setUp();
      const { token, record } = await issue({ scopes: ['models:read'] });
      const client = new Client({ authorization: `Bearer ${token}` });
      expect(await ask(client, 'who')).toBe(true);
      for (let i = 0; i < 3; i++) client.emit(name);
      expect(leases.count().leases).toBe(1);
      await postern.tokens.revoke(record.id);
      await eventually(async () => expect(client.connected).toBe(false));
      expect(leases.count().leases).toBe(0);
      expect(client.eventNames().flatMap((each) => client.listeners(each)).length).toBeLessThan(3);
    },
  );

  it('is charged for each message, also if its client sends a DPoP header beside a bearer token', async () => {
    const { ask, token } = setUp();
    const limited = await token({ scopes: ['models:read'], rateLimit: { points: 1, duration: '1m' } });
    const client = new Client({ authorization: `Bearer ${limited}`, dpop: 'x' });
    expect([await ask(client, 'who'), await ask(client, 'who')]).toEqual([true, 'rate_limited']);
  });

  it.each([{}, { authorization: 'DPoP x' }])('keeps no message that needs no credential (%j)', async (headers) => {
    const { ask } = setUp();
    const client = new Client({ ...headers, dpop: 'x' });
    for (let i = 0; i < 20; i++) expect(await ask(client, 'anyone')).toBe(true);
    expect(passagesOf(client.request).length).toBeLessThan(2);
  });
});
