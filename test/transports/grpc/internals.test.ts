import { constants } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { afterEach, expect, it, vi } from 'vitest';
import { http2StreamOf, interceptingCallsOf } from '../../../src/transports/grpc/internals.js';
import { resetUnlessOver } from '../../../src/transports/grpc/reset.js';

afterEach(() => {
  vi.useRealTimers();
});

const stream = (over: object = {}) => ({ close: vi.fn(), destroy: vi.fn(), once: vi.fn(), rstCode: 0, ...over });

it('the HTTP/2 stream of a call is found under any number of interceptors', () => {
  const wire = { stream: stream() } as unknown as grpc.ServerInterceptingCallInterface;
  const call = new grpc.ServerInterceptingCall(new grpc.ServerInterceptingCall(wire));
  expect(http2StreamOf(call)).toBe((wire as unknown as { stream: unknown }).stream);
  expect([...interceptingCallsOf({ call })]).toHaveLength(3);
});

it('a grpc-js without the needed internals is accepted', () => {
  const loop: { nextCall?: unknown } = {};
  loop.nextCall = loop;
  for (const call of [{}, { stream: null }, { stream: {} }, { nextCall: 3 }, loop]) {
    expect(http2StreamOf(call)).toBe(null);
    expect(() => resetUnlessOver(call)).not.toThrow();
  }
  expect([...interceptingCallsOf({})]).toEqual([]);
});

it('a stream that ends by itself is left alone, and no timer stays', () => {
  vi.useFakeTimers();
  resetUnlessOver({ stream: stream({ destroyed: true }) });
  expect(vi.getTimerCount()).toBe(0);
  let close = () => {};
  const open = stream({ once: (_event: string, listener: () => void) => (close = listener) });
  resetUnlessOver({ stream: open });
  expect(vi.getTimerCount()).toBe(1);
  close();
  expect(vi.getTimerCount()).toBe(0);
  expect(open.close).not.toHaveBeenCalled();
});

it('a stream that stays is reset, and dropped if even the reset can not be sent', () => {
  vi.useFakeTimers();
  const open = stream();
  resetUnlessOver({ stream: open });
  vi.advanceTimersByTime(2_000);
  expect(open.close).toHaveBeenCalledExactlyOnceWith(constants.NGHTTP2_CANCEL);
  expect(open.destroy).toHaveBeenCalledOnce();
});
