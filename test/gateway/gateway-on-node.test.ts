import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toNodeHandler } from 'postern/gateway';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../transports/support.js';
import { forwarded, gatewayWorld } from './world.js';

describe('on node:http', () => {
  const ask = (port: number, host = '127.0.0.1') =>
    fetch(`http://${host}:${port}/auth`, {
      headers: Object.fromEntries(forwarded({ host: 'status.acme.cloud.test' }).headers),
    });

  it('the address comes from the socket', async () => {
    const trusted = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
    const stranger = await gatewayWorld();
    expect((await ask(await serve(toNodeHandler(trusted.gateway.fetch)))).status).toBe(200);
    expect((await ask(await serve(toNodeHandler(stranger.gateway.fetch)))).status).toBe(403);
    expect((await ask(await serve(toNodeHandler(trusted.gateway.denied)))).status).toBe(503);
  });

  it('a proxy on a socket file is unix:', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    for (const [trustedProxies, status] of [
      [['unix:'], '200'],
      [['127.0.0.1'], '403'],
    ] as const) {
      const { gateway } = await gatewayWorld({ trustedProxies });
      const path = join(folder, `${status}.sock`);
      const server = createServer(toNodeHandler(gateway.fetch));
      await new Promise<void>((resolve) => server.listen(path, resolve));
      onTestFinished(() => void server.close());
      const lines = [...forwarded({ host: 'status.acme.cloud.test' }).headers].map(
        ([name, value]) => `${name}: ${value}\r\n`,
      );
      const answer = await new Promise<string>((resolve) => {
        const socket = connect(path);
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk;
        });
        socket.on('close', () => resolve(text));
        socket.write(`GET /auth HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n${lines.join('')}\r\n`);
      });
      expect(answer.split(' ')[1]).toBe(status);
    }
  });
});
