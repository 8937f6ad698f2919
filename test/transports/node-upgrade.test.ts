import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Principal } from 'postern';
import { guardUpgrade } from 'postern/node';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

/** A server that takes upgrades through a guard. Returns its port. */
async function serveUpgrades(upgrade: ReturnType<typeof guardUpgrade>): Promise<number> {
  const server = createServer();
  server.on('upgrade', upgrade);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A handshake by hand, for what a client of WebSockets would not do. */
function handshake(port: number, headers = '') {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
  });
  socket.write(`GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n`);
  return socket;
}

const ended = (socket: ReturnType<typeof handshake>) =>
  new Promise<string>((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });

describe('guardUpgrade', () => {
  it('lets the handshake of a WebSocket through, with who calls, and refuses another', async () => {
    const { postern, token } = createTestPostern();
    const sockets = new WebSocketServer({ noServer: true });
    sockets.on('connection', (socket: WebSocket, _request: unknown, principal: Principal) => {
      socket.on('message', (data) => socket.send(`${principal.owner} says ${data}`));
    });
    const port = await serveUpgrades(
      guardUpgrade(postern, { endpoint: 'chat' }, (request, socket, head, { principal }) => {
        sockets.handleUpgrade(request, socket, head, (each) => sockets.emit('connection', each, request, principal));
      }),
    );
    const good = await token({ endpoints: ['chat'], owner: 'ada' });

    const open = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${good}` } });
    await new Promise((resolve) => open.once('open', resolve));
    open.send('hello');
    const [said] = await new Promise<[Buffer]>((resolve) => open.once('message', (data: Buffer) => resolve([data])));
    expect(String(said)).toBe('ada says hello');
    open.close();

    const refused = new WebSocket(`ws://127.0.0.1:${port}`);
    const [status, challenge] = await new Promise<unknown[]>((resolve) =>
      refused.once('unexpected-response', (_request, response) => {
        response.resume();
        resolve([response.statusCode, response.headers['www-authenticate']]);
      }),
    );
    expect([status, challenge]).toEqual([401, 'Bearer realm="postern"']);
  });

  it('closes the socket of a client that keeps its own side open', async () => {
    const { postern } = createTestPostern();
    const guarded = guardUpgrade(postern, { authenticated: true }, () => {});
    const closed = new Promise((resolve) => {
      void serveUpgrades((request, socket, head) => {
        socket.once('close', resolve);
        guarded(request, socket, head);
      }).then((each) => {
        const client = connect({ port: each, host: '127.0.0.1', allowHalfOpen: true });
        client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        onTestFinished(() => {
          client.destroy();
        });
      });
    });
    await closed;
  });

  it('forgets a client that is gone once the decision is there', async () => {
    const { postern } = createTestPostern();
    let reached = false;
    let decide = (_requirement: { public: true }) => {};
    const guarded = guardUpgrade(
      postern,
      () =>
        new Promise<{ public: true }>((resolve) => {
          decide = resolve;
        }),
      () => {
        reached = true;
      },
    );
    let leave = () => {};
    const port = await serveUpgrades((request, socket, head) => {
      guarded(request, socket, head);
      leave = () => socket.destroy(new Error('read ECONNRESET'));
      socket.write('asked');
    });
    const client = handshake(port);
    await new Promise((resolve) => client.once('data', resolve));
    leave();
    decide({ public: true });
    await new Promise((resolve) => setImmediate(resolve));
    expect(reached).toBe(false);
  });

  it('closes the socket where its handler fails, and reports it', async () => {
    const faults: unknown[] = [];
    const { postern } = createTestPostern({ onEvent: (event) => event.type === 'fault' && faults.push(event) });
    const port = await serveUpgrades(
      guardUpgrade(postern, { public: true }, (_request, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
        throw new Error('secret detail');
      }),
    );
    expect(await ended(handshake(port))).not.toContain('500');
    expect(faults).toHaveLength(1);
  });

  const fail = () => {
    throw new Error('nobody listens');
  };

  it.each([
    ['throws', fail],
    ['rejects', async () => fail()],
  ])('is told of a denial by an onDenied that %s, which changes nothing', async (_, failing) => {
    const { postern, events } = createTestPostern();
    const reasons: string[] = [];
    const port = await serveUpgrades(
      guardUpgrade(postern, { authenticated: true }, () => {}, {
        onDenied: ({ reason }) => {
          reasons.push(reason);
          return failing();
        },
      }),
    );
    expect(await ended(handshake(port, 'Authorization: Bearer a b\r\n'))).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(reasons).toEqual(['token_malformed']);
    expect(events).toContainEqual(expect.objectContaining({ type: 'fault' }));
  });
});
