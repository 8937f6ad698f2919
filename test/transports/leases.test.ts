import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import express from 'express';
import type { Denied } from 'postern';
import { guard, leaseOf } from 'postern/express';
import { guard as fetchGuard, leaseOf as fetchLease } from 'postern/fetch';
import { createTestPostern } from 'postern/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { leasesOf } from '../support/leases.js';
import { thrown } from '../support/outcomes.js';
import { requireTool } from '../support/tools.js';
import { type Host, LEASE_HOSTS, type Opened } from './lease-hosts.js';

const run = promisify(execFile);
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const live = { endpoint: 'live' } as const;
const grants = { scopes: ['models:read'], endpoints: ['live'], expiresIn: '1h' } as const;

/** A server of one kind, and clients of its stream. */
async function createStreams(name: keyof typeof LEASE_HOSTS) {
  const world = createTestPostern();
  const { token, record } = await world.issue(grants);
  const waiting: ((opened: Opened) => void)[] = [];
  const host: Host = await LEASE_HOSTS[name](world.postern, live, (opened) => waiting.shift()?.(opened));
  closing.push(() => host.close());
  const next = () => new Promise<Opened>((resolve) => waiting.push(resolve));
  const leases = leasesOf(world.postern);
  return {
    ...world,
    token,
    record,
    host,
    next,
    leases,
    noneLeft: () => eventually(async () => expect(leases.count()).toEqual({ leases: 0, groups: 0 })),
    /** Opens a stream, and reads its first event. */
    async open(bearer = token) {
      const handling = next();
      const client = get({ port: host.port, path: '/events', headers: { authorization: `Bearer ${bearer}` } });
      client.on('error', () => {});
      const answered = once(client, 'response') as Promise<[IncomingMessage]>;
      const opened = await handling;
      opened.send('first');
      const [response] = await answered;
      response.on('error', () => {});
      const [first] = await once(response, 'data');
      expect(String(first)).toContain('first');
      return { ...opened, client: client as ClientRequest, response };
    },
  };
}

type Streams = Awaited<ReturnType<typeof createStreams>>;

const ENDS: readonly (readonly [string, string, (streams: Streams) => unknown])[] = [
  ['its token is revoked', 'token_revoked', ({ postern, record }) => postern.tokens.revoke(record.id)],
  [
    'its token expires',
    'token_expired',
    ({ clock, leases }) => {
      clock.advance('1h');
      leases.lookAtAll();
    },
  ],
  [
    'it loses the right',
    'endpoint_not_granted',
    ({ postern, record }) => postern.tokens.update(record.id, { types: { developer: { scopes: ['models:read'] } } }),
  ],
  [
    'its endpoint becomes private',
    'endpoint_private',
    ({ postern }) => postern.endpoints.update('live', { access: 'private' }),
  ],
];

describe.each(Object.keys(LEASE_HOSTS) as (keyof typeof LEASE_HOSTS)[])('server-sent events on %s', (name) => {
  it.each(ENDS)('end when %s', async (_name, reason, end) => {
    const streams = await createStreams(name);
    const { response, ended, end: endStream } = await streams.open();
    const over = once(response, 'end');
    await end(streams);
    expect(await ended).toMatchObject({ allowed: false, reason });
    endStream();
    response.resume();
    await over;
    await streams.noneLeft();
  });

  it('end for curl, with all that was sent', async () => {
    requireTool('curl');
    const streams = await createStreams(name);
    const handling = streams.next();
    const url = `http://127.0.0.1:${streams.host.port}/events`;
    const curl = run('curl', ['-sN', '-H', `Authorization: Bearer ${streams.token}`, url]);
    const { send, ended, end } = await handling;
    send('first');
    await streams.postern.tokens.revoke(streams.record.id);
    await ended;
    send('goodbye');
    end();
    expect((await curl).stdout).toBe('data: first\n\ndata: goodbye\n\n');
  });

  it('of another token go on', async () => {
    const streams = await createStreams(name);
    const other = await streams.issue(grants);
    const ends = await streams.open();
    const stays = await streams.open(other.token);
    await streams.postern.tokens.revoke(streams.record.id);
    await ends.ended;
    expect(stays.lease.signal.aborted).toBe(false);
    const next = once(stays.response, 'data');
    stays.send('second');
    expect(String((await next)[0])).toContain('second');
    expect(streams.leases.count().leases).toBe(1);
  });

  it('leave nothing behind when their clients vanish, or their handlers end them', async () => {
    const streams = await createStreams(name);
    const vanishing = [await streams.open(), await streams.open()];
    const finished = await streams.open();
    expect(streams.leases.count().leases).toBe(3);
    for (const { client } of vanishing) client.destroy();
    finished.response.resume();
    finished.end();
    await streams.noneLeft();
    for (const { lease } of [...vanishing, finished]) expect(lease.signal.aborted).toBe(false);
  });

  it('are cut off when the client does not read and nobody listens to the signal', async () => {
    const streams = await createStreams(name);
    const handling = streams.next();
    const socket = connect(streams.host.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    socket.write(`GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${streams.token}\r\n\r\n`);
    const opened = await handling;
    for (let i = 0; i < 200; i++) opened.send('x'.repeat(65_536));
    await streams.postern.tokens.revoke(streams.record.id);
    await opened.ended;
    await opened.over;
    await streams.noneLeft();
    // The client still reads nothing, and so hears of nothing.
    await eventually(async () => expect(await streams.host.connections()).toBe(0));
    socket.destroy();
  });

  it('whose lease the handler closed are its own business', async () => {
    const streams = await createStreams(name);
    const { lease, response, send } = await streams.open();
    lease.close();
    await streams.noneLeft();
    await streams.postern.tokens.revoke(streams.record.id);
    const next = once(response, 'data');
    send('second');
    await next;
    expect(lease.signal.aborted).toBe(false);
  });
});

describe('a lease', () => {
  it('holds the decisions of all guards that the request passed', async () => {
    for (const change of ['scope', 'endpoint'] as const) {
      const world = createTestPostern();
      const { token, record } = await world.issue(grants);
      const app = express();
      const ended = new Promise<Denied>((resolve) => {
        app.use(guard(world.postern, { scope: 'models:read' }));
        app.get('/', guard(world.postern, live), (request, response) => {
          const { signal } = leaseOf(request);
          signal.addEventListener('abort', () => {
            resolve(signal.reason as Denied);
            response.end();
          });
          response.flushHeaders();
        });
      });
      const server = app.listen(0, '127.0.0.1');
      await once(server, 'listening');
      closing.push(() => server.close());
      const { port } = server.address() as { port: number };
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${token}` } });
      const types =
        change === 'scope' ? { user: { endpoints: ['live'] } } : { developer: { scopes: ['models:read' as const] } };
      await world.postern.tokens.update(record.id, { types });
      expect((await ended).reason).toBe(change === 'scope' ? 'scope_missing' : 'endpoint_not_granted');
      await response.text();
      expect(leasesOf(world.postern).count().leases).toBe(0);
    }
  });

  it('of a client that left before it was asked for is over at once', async () => {
    const { postern, token } = createTestPostern();
    const bearer = await token(grants);
    const gone = new AbortController();
    const handler = fetchGuard(postern, live, (request) => {
      gone.abort();
      return new Response(String(fetchLease(request).signal.aborted));
    });
    const request = new Request('http://x/', { headers: { authorization: `Bearer ${bearer}` }, signal: gone.signal });
    expect(await (await handler(request)).text()).toBe('false');
    expect(leasesOf(postern).count().leases).toBe(0);
  });

  it('is over with a body that is cancelled, fails, or is read to its end', async () => {
    const { postern, token } = createTestPostern();
    const headers = { authorization: `Bearer ${await token(grants)}` };
    let controller: ReadableStreamDefaultController | undefined;
    const handler = fetchGuard(postern, live, (_request, { signal }) => {
      const body = new ReadableStream({
        start(given) {
          controller = given;
        },
      });
      return new Response(body, { status: signal.aborted ? 500 : 201, headers: { 'x-kept': 'yes' } });
    });
    const ends: ((response: Response) => Promise<unknown>)[] = [
      async (response) => response.body?.cancel(),
      async (response) => {
        controller?.error(new Error('the application'));
        await response.text().catch(() => {});
      },
      async (response) => {
        controller?.close();
        await response.text();
      },
    ];
    for (const end of ends) {
      const response = await handler(new Request('http://x/', { headers }));
      expect([response.status, response.headers.get('x-kept')]).toEqual([201, 'yes']);
      expect(leasesOf(postern).count().leases).toBe(1);
      await end(response);
      expect(leasesOf(postern).count().leases).toBe(0);
    }
  });

  it('is over with a handler that throws, or that has no body to answer with', async () => {
    const { postern, token } = createTestPostern();
    const headers = { authorization: `Bearer ${await token(grants)}` };
    const answers = [
      () => new Response(null, { status: 204 }),
      () => {
        throw new Error('the application');
      },
    ];
    for (const answer of answers) {
      const handler = fetchGuard(postern, live, (_request, { signal }) => {
        if (signal.aborted) throw new Error('aborted');
        return answer();
      });
      await handler(new Request('http://x/', { headers })).catch(() => {});
      expect(leasesOf(postern).count().leases).toBe(0);
    }
  });

  it('is not opened by a handler that does not ask for one', async () => {
    const { postern, token } = createTestPostern();
    const body = new ReadableStream();
    const handler = fetchGuard(postern, live, () => new Response(body));
    const response = await handler(
      new Request('http://x/', { headers: { authorization: `Bearer ${await token(grants)}` } }),
    );
    expect(response.body).toBe(body);
    expect(leasesOf(postern).count().leases).toBe(0);
  });

  it('is refused where no guard let the request through', () => {
    expect(thrown(() => fetchLease(new Request('http://x/')))).toMatchObject({ code: 'guard_missing' });
  });
});
