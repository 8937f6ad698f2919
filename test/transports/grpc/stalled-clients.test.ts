import { once } from 'node:events';
import { constants } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { createWorld } from '../world.js';
import { rawCall } from './harness.js';
import { PATH, serve } from './held-calls.js';

describe('a client that has stopped reading', () => {
  async function stalled(form: 'serverStream' | 'bidi') {
    const { postern } = await createWorld();
    const { token, record } = await postern.tokens.create({ name: 'slow', types: { developer: { scopes: ['*'] } } });
    const { running, next } = await serve(postern, { [PATH]: { scope: 'models:read' } });
    const handling = next();
    const client = rawCall(running.address, PATH + form, token, form === 'serverStream' ? 1 : undefined);
    const trailers = once(client, 'trailers');
    const { handlerCall, cancelled, http2 } = await handling;
    for (let i = 0; i < 64; i++) handlerCall.write('x'.repeat(65_536));
    expect(handlerCall.writableNeedDrain).toBe(true);
    await once(client, 'response');
    return { client, trailers, handlerCall, cancelled, http2, revoke: () => postern.tokens.revoke(record.id) };
  }

  it.each(['serverStream', 'bidi'] as const)('%s: its handler is cancelled, and its stream is gone', async (form) => {
    const { client, http2, cancelled, handlerCall, revoke } = await stalled(form);
    const gone = once(http2, 'close');
    const left = once(client, 'close');
    await revoke();
    await cancelled;
    expect(handlerCall.cancelled).toBe(true);
    expect(handlerCall.destroyed).toBe(true);
    // The handler is told at once; what had been written still stands in the way of the status.
    expect(http2.closed).toBe(false);
    await gone;
    expect(http2.writableFinished).toBe(false);
    await left;
    expect(client.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });

  it.each(['serverStream', 'bidi'] as const)('%s: it still gets the status when it reads on', async (form) => {
    const { client, trailers, cancelled, revoke } = await stalled(form);
    await revoke();
    await cancelled;
    client.resume();
    const [{ 'grpc-status': status, 'grpc-message': details }] = await trailers;
    expect([status, decodeURI(details)]).toEqual([String(grpc.status.UNAUTHENTICATED), 'The token was revoked.']);
  });
});

describe('a client that never closes its side', () => {
  it('is answered when it is denied, and then its stream is reset', async () => {
    const { postern } = await createWorld();
    const { running } = await serve(postern, { [PATH]: { authenticated: true } });
    const client = rawCall(running.address, `${PATH}bidi`, null);
    const left = once(client, 'close');
    const [headers] = await once(client, 'response');
    expect(headers['grpc-status']).toBe(String(grpc.status.UNAUTHENTICATED));
    client.resume();
    await left;
    expect(client.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });
});
