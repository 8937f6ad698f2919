import * as grpc from '@grpc/grpc-js';
import type { Decision } from 'postern';
import { describe, expect, it } from 'vitest';
import { GuardedCall } from '../../../src/transports/grpc/guarded-call.js';
import { Rechecks } from '../../../src/transports/grpc/rechecks.js';

const ALLOWED: Decision = { allowed: true, principal: null };
const REVOKED: Decision = { allowed: false, reason: 'token_revoked' };

/** A call between a wire and a handler that write down what reaches them: a wire that never sends anything on. */
function setUp() {
  const sent: string[] = [];
  const heard: string[] = [];
  const asks: ((decision: Decision) => void)[] = [];
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
  const rechecks = new Rechecks(60_000);
  const call = new GuardedCall(
    {
      header: null,
      rechecks,
      answer: () => ({ code: grpc.status.UNAUTHENTICATED, details: 'No.', metadata: null }),
      fault: () => ({ allowed: false, reason: 'internal_error' }),
    },
    () => (asks.length === 0 ? first() : later()),
    '/a.B/C',
    wire,
  );
  const first = () => {
    asks.push(() => {});
    return ALLOWED;
  };
  const later = () => new Promise<Decision>((resolve) => asks.push(resolve));
  call.start({
    onReceiveMetadata: () => heard.push('metadata'),
    onReceiveMessage: (message) => heard.push(`message ${message}`),
    onReceiveHalfClose: () => heard.push('half-close'),
    onCancel: () => heard.push('cancel'),
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    call,
    rechecks,
    sent,
    heard,
    onWire: () => listener as NonNullable<typeof listener>,
    async recheck(decision: Decision, before: () => void = () => {}) {
      call.recheck();
      before();
      asks.at(-1)?.(decision);
      await turn();
    },
  };
}

describe('a call that was ended by its guard', () => {
  it('is told to its handler once, whatever the wire says later', async () => {
    const { recheck, heard, sent, onWire } = setUp();
    await recheck(REVOKED);
    expect(heard).toEqual(['metadata', 'cancel']);
    onWire().onCancel();
    onWire().onReceiveMessage('late');
    onWire().onReceiveHalfClose();
    expect(heard).toEqual(['metadata', 'cancel']);
    expect(sent).toEqual(['status 16']);
  });

  it('takes nothing more from its handler', async () => {
    const { call, recheck, sent } = setUp();
    call.sendMessage('before', () => {});
    await recheck(REVOKED);
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
  it('is not looked at again, though the wire has not sent the answer yet', () => {
    const { call, rechecks } = setUp();
    expect(rechecks.size).toBe(1);
    call.sendStatus({ code: grpc.status.OK, details: 'OK' });
    expect(rechecks.size).toBe(0);
  });

  it('keeps its answer where a recheck was under way', async () => {
    const { call, recheck, sent, heard } = setUp();
    await recheck(REVOKED, () => call.sendStatus({ code: grpc.status.OK, details: 'OK' }));
    expect(sent).toEqual(['status 0']);
    expect(heard).toEqual(['metadata']);
  });
});
