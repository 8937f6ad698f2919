import { Code, ConnectError, type StreamRequest, type StreamResponse } from '@connectrpc/connect';
import { createTestPostern } from 'postern/testing';
import { expect, it } from 'vitest';
import { asker } from '../../src/transports/ask.js';
import { heldStream } from '../../src/transports/connect-lease.js';
import { eventually } from '../support/eventually.js';

const FAILING = {
  'returns no promise': () => ({ done: true, value: undefined }),
  throws: () => {
    throw new Error('the handler’s own');
  },
  rejects: () => Promise.reject(new Error('the handler’s own')),
};

it.each(Object.entries(FAILING))('a stream whose return() %s ends with the denial', async (_, giveUp) => {
  const { postern, issue } = createTestPostern();
  const { token, record } = await issue({ scopes: ['models:read'] });
  const header = new Headers();
  const reading = {
    transport: 'connect' as const,
    methodOf: () => '/table.Table/Live',
    identityOf: (each: Headers) => each,
  };
  const ask = asker<Headers, never>(postern as never, { authenticated: true }, 'external', reading);
  await ask(header, { token, malformed: false, proof: null });
  const message = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: giveUp }) };
  const request = { header, signal: new AbortController().signal, message } as unknown as StreamRequest;
  const answered = async () => ({ message }) as unknown as StreamResponse;
  const refusal = ({ reason }: { reason: string }) => new ConnectError(reason, Code.Unauthenticated);
  const { message: held } = await heldStream(request, answered, null, refusal);
  const next = held[Symbol.asyncIterator]()
    .next()
    .catch((error: ConnectError) => error.rawMessage);
  await postern.tokens.revoke(record.id);
  await eventually(async () => expect(await Promise.race([next, 'open'])).toBe('token_revoked'));
});
