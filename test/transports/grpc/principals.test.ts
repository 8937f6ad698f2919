import * as grpc from '@grpc/grpc-js';
import { isPosternError } from 'postern';
import { guard, principalOf } from 'postern/grpc';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { bearer, call, connected, FORMS } from './harness.js';

async function setUp() {
  const { postern } = createTestPostern();
  const { token, record } = await postern.tokens.create({
    name: 'ci',
    owner: 'ada',
    types: { developer: { scopes: ['models:read'] } },
  });
  return { postern, token, id: record.id };
}

const echo = Object.fromEntries(FORMS.map((form) => [`/who.Is/${form}`, form]));

/** Passes everything on like a usual interceptor, with the metadata through `change`. */
const between =
  (change: (metadata: grpc.Metadata) => grpc.Metadata): grpc.ServerInterceptor =>
  (_method, next) =>
    new grpc.ServerInterceptingCall(next, {
      start: (begin) => begin({ onReceiveMetadata: (metadata, pass) => pass(change(metadata)) }),
    });

describe.each(FORMS)('principalOf in a call of the form %s', (form) => {
  const path = `/who.Is/${form}`;

  it('gives its principal between other interceptors', async () => {
    const { postern, token, id } = await setUp();
    const same = between((metadata) => metadata);
    const { running, client } = await connected({
      interceptors: [same, guard(postern, { '/who.Is/': { authenticated: true } }), same],
      echo,
    });
    expect((await call(client, { form, path, metadata: bearer(token) })).code).toBe(grpc.status.OK);
    expect(running.seen.principals).toEqual([expect.objectContaining({ tokenId: id, owner: 'ada' })]);
  });

  it('gives its principal if an interceptor replaces the metadata', async () => {
    const { postern, token, id } = await setUp();
    const { running, client } = await connected({
      interceptors: [
        guard(postern, { '/who.Is/': { authenticated: true } }),
        between((metadata) => metadata.clone()),
        between((metadata) => metadata.clone()),
      ],
      echo,
    });
    expect((await call(client, { form, path, metadata: bearer(token) })).code).toBe(grpc.status.OK);
    expect(running.seen.principals).toEqual([expect.objectContaining({ tokenId: id })]);
  });

  it('gives each of several concurrent calls its own principal', async () => {
    const { postern, token, id } = await setUp();
    const other = await postern.tokens.create({ name: 'b', types: { developer: { scopes: ['models:read'] } } });
    const { running, client } = await connected({
      interceptors: [guard(postern, { '/who.Is/': { authenticated: true } })],
      echo,
    });
    const tokens = [token, other.token, token, other.token];
    await Promise.all(tokens.map((each) => call(client, { form, path, metadata: bearer(each) })));
    const ids = running.seen.principals.map((principal) => principal?.tokenId);
    expect(ids.toSorted()).toEqual([id, id, other.record.id, other.record.id].toSorted());
  });

  it('gives null if no credential was needed, also for a forged claim of the client', async () => {
    const { postern } = await setUp();
    const { running, client } = await connected({
      interceptors: [guard(postern, { '/who.Is/': { public: true } })],
      echo,
    });
    const metadata = new grpc.Metadata();
    for (const key of ['principal', 'x-principal', 'postern-principal', 'tokenid', 'owner', 'x-forwarded-user']) {
      metadata.set(key, '{"tokenId":"root","owner":"root"}');
    }
    metadata.set('principal-bin', Buffer.from('{"tokenId":"root"}'));
    expect((await call(client, { form, path, metadata })).code).toBe(grpc.status.OK);
    expect(running.seen.principals).toEqual([null]);
  });

  it('throws guard_missing on a server without a guard', async () => {
    const thrown: unknown[] = [];
    const handler = (
      handlerCall: { metadata: grpc.Metadata; emit?: unknown },
      callback?: grpc.sendUnaryData<unknown>,
    ) => {
      try {
        principalOf(handlerCall);
      } catch (error) {
        thrown.push(error);
      }
      if (callback) callback(null, 'done');
      else (handlerCall as unknown as { end(): void }).end();
    };
    const { client } = await connected({
      handlers: { [path]: [form, handler as unknown as grpc.UntypedHandleCall] },
    });
    expect((await call(client, { form, path })).code).toBe(grpc.status.OK);
    expect(thrown).toHaveLength(1);
    expect(isPosternError(thrown[0]) && thrown[0].code).toBe('guard_missing');
  });
});

it('principalOf throws guard_missing for an object that is not a guarded call', () => {
  const metadata = new grpc.Metadata();
  metadata.set('principal', 'root');
  const loop: { metadata: grpc.Metadata; call?: unknown; nextCall?: unknown } = { metadata };
  loop.call = loop;
  loop.nextCall = loop;
  for (const value of [{ metadata }, loop, {}, null, undefined, 'call']) {
    expect(() => principalOf(value as never)).toThrowError(expect.objectContaining({ code: 'guard_missing' }));
  }
});
