import * as grpc from '@grpc/grpc-js';
import { createPostern, type Decision, type Denied, memoryStore } from 'postern';
import { guard } from 'postern/grpc';
import { describe, expect, it } from 'vitest';
import type { Leases } from '../../../src/deciding/leases.js';
import { internalsOf } from '../../../src/instance/internals.js';
import { GuardedCall } from '../../../src/transports/grpc/guarded-call.js';
import { withGate } from '../../support/gate.js';

const ALLOWED: Decision = { allowed: true, principal: null };
const REVOKED: Denied = { allowed: false, reason: 'token_revoked' };

/** A call between a wire and a handler that write down what reaches them: a wire that never sends anything on. */
function setUp() {
  const sent: string[] = [];
  const heard: string[] = [];
  const leases = new Set<(denial: Denied) => void>();
  let listener: Parameters<grpc.ServerInterceptingCallInterface['start']>[0] | undefined;
  const wire = {
    start(given: typeof listener) {
      listener = given;
      given?.onReceiveMetadata(new grpc.Metadata());
    },
    sendMetadata: () => sent.push('metadata'),
    sendMessage: (message: unknown) => sent.push(`message ${message}`),
    sendStatus: ({ code }: { code: number }) => sent.push(`status ${code}`),
    startRead: () => sent.push('read'),
    getPeer: () => 'unknown',
  } as unknown as grpc.ServerInterceptingCallInterface;
  const postern = withGate(createPostern({ store: memoryStore() }), {
    tryAuthorize: () => ALLOWED,
  });
  const open: Leases['open'] = (_attempt, ended) => {
    leases.add(ended);
    return { close: () => void leases.delete(ended) };
  };
  Object.assign(internalsOf(postern).holding, { leases: { open } });
  const interceptor = guard(postern, { '/a.B/C': { public: true } });
  const call = interceptor({ path: '/a.B/C' } as Parameters<typeof interceptor>[0], wire);
  call.start({
    onReceiveMetadata: () => heard.push('metadata'),
    onReceiveMessage: (message) => heard.push(`message ${message}`),
    onReceiveHalfClose: () => heard.push('half-close'),
    onCancel: () => heard.push('cancel'),
  });
  return {
    call,
    leases,
    sent,
    heard,
    onWire: () => listener as NonNullable<typeof listener>,
    async end(denial: Denied) {
      for (const ended of leases) ended(denial);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('a call that was ended by its guard', () => {
  it('is told to its handler once, whatever the wire says later', async () => {
    const { end, heard, sent, onWire } = setUp();
    await end(REVOKED);
    expect(heard).toEqual(['metadata', 'cancel']);
    onWire().onCancel();
    onWire().onReceiveMessage('late');
    onWire().onReceiveHalfClose();
    expect(heard).toEqual(['metadata', 'cancel']);
    expect(sent).toEqual(['status 16']);
  });

  it('takes nothing more from its handler', async () => {
    const { call, end, sent } = setUp();
    call.sendMessage('before', () => {});
    await end(REVOKED);
    const atTheEnd = [...sent];
    call.sendMetadata(new grpc.Metadata());
    call.sendMessage('after', () => {});
    call.startRead();
    call.sendStatus({ code: grpc.status.OK, details: 'OK' });
    expect(sent).toEqual(atTheEnd);
    expect(atTheEnd.slice(-2)).toEqual(['message before', 'status 16']);
  });
});

it('has every method of the intercepting calls of grpc-js, and passes what it does not guard on', () => {
  const methods = (made: object) => Object.getOwnPropertyNames(made).filter((name) => !name.startsWith('process'));
  expect(methods(GuardedCall.prototype)).toEqual(
    expect.arrayContaining(methods(grpc.ServerInterceptingCall.prototype)),
  );
  expect(setUp().call.getPeer()).toBe('unknown');
});

describe('a call that its handler has answered', () => {
  it('holds no lease, though the wire has not sent the answer yet', () => {
    const { call, leases } = setUp();
    expect(leases.size).toBe(1);
    call.sendStatus({ code: grpc.status.OK, details: 'OK' });
    expect(leases.size).toBe(0);
  });
});
