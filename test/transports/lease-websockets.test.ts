import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Denied, Postern } from 'postern';
import { guardUpgrade, leaseOf } from 'postern/node';
import { createTestPostern } from 'postern/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { eventually } from '../support/eventually.js';
import { leasesOf } from '../support/leases.js';
import { connectionsOf, startWebSockets } from './lease-hosts.js';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const live = { endpoint: 'live' } as const;

/** The `upgrade` event of node:http, with `ws`. */
async function startRaw(postern: Postern) {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const upgrade = guardUpgrade(postern, live, (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { signal } = leaseOf(request);
      signal.addEventListener('abort', () => webSocket.close(1008, (signal.reason as Denied).reason));
      webSocket.on('message', (message) => webSocket.send(message.toString()));
      webSocket.send('open');
    });
  });
  server.on('upgrade', upgrade);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connectionsOf(server),
    close: () => {
      for (const each of sockets.clients) each.terminate();
      server.close();
    },
  };
}

const HOSTS = { '@fastify/websocket': (postern: Postern) => startWebSockets(postern, live), ws: startRaw };

describe.each(Object.keys(HOSTS) as (keyof typeof HOSTS)[])('WebSockets of %s', (name) => {
  async function setUp() {
    const world = createTestPostern();
    const { token, record } = await world.issue({ endpoints: ['live'] });
    const host = await HOSTS[name](world.postern);
    closing.push(() => host.close());
    const leases = leasesOf(world.postern);
    return {
      ...world,
      record,
      leases,
      host,
      noneLeft: () => eventually(async () => expect(leases.count()).toEqual({ leases: 0, groups: 0 })),
      async open(bearer = token) {
        const client = new WebSocket(`ws://127.0.0.1:${host.port}/live`, {
          headers: { authorization: `Bearer ${bearer}` },
        });
        client.on('error', () => {});
        await once(client, 'message');
        return client;
      },
    };
  }

  it('are closed when their token is revoked, and others stay', async () => {
    const { open, issue, postern, record, leases } = await setUp();
    const other = await open(await issue({ endpoints: ['live'] }).then(({ token }) => token));
    const client = await open();
    expect(leases.count().leases).toBe(2);
    const closed = once(client, 'close');
    await postern.tokens.revoke(record.id);
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([1008, 'token_revoked']);
    const echo = once(other, 'message');
    other.send('still here');
    expect(String((await echo)[0])).toBe('still here');
    other.terminate();
  });

  it('are closed when their endpoint is deleted', async () => {
    const { open, postern } = await setUp();
    const closed = once(await open(), 'close');
    await postern.endpoints.delete('live');
    expect(String((await closed)[1])).toBe('endpoint_unknown');
  });

  it('leave nothing behind when their clients vanish, or say goodbye', async () => {
    const { open, leases, noneLeft } = await setUp();
    const clients = await Promise.all([open(), open(), open()]);
    expect(leases.count().leases).toBe(3);
    clients[0]?.terminate();
    clients[1]?.close();
    (clients[2] as unknown as { _socket: Socket })._socket.resetAndDestroy();
    await noneLeft();
  });

  it('are cut off when the client does not answer the goodbye', async () => {
    const { open, postern, record, noneLeft, host } = await setUp();
    const client = await open();
    // It reads nothing, and so hears no goodbye.
    (client as unknown as { _socket: Socket })._socket.pause();
    await postern.tokens.revoke(record.id);
    await noneLeft();
    // `ws` itself would wait for 30 seconds.
    const gone = async () => expect(await host.connections()).toBe(0);
    await vi.waitFor(gone, { timeout: 20_000, interval: 50 });
    client.terminate();
  });
});
