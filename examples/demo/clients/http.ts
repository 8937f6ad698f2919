import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { HOST, INSIDE } from '../servers/serving.js';
import { payloadOf, TARGETS } from '../targets.js';
import type { Answer, Call, Client } from './client.js';

/** `node:http`, because `fetch` would join two `Authorization` headers and can't choose the address that it calls from. */
export function httpClient(transport: string, port: number): Client {
  return { transport, protocol: 'http', call: (call) => send(port, call) };
}

function send(port: number, { tokens, target, inside }: Call): Promise<Answer> {
  const { method, path } = TARGETS[target];
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: HOST,
      port,
      method,
      path,
      agent: false,
      ...(inside && { localAddress: INSIDE }),
      headers: {
        ...(method === 'POST' && { 'Content-Type': 'application/json' }),
        // An array is sent as one header for each of its items.
        ...(tokens.length > 0 && { Authorization: tokens.map((token) => `Bearer ${token}`) }),
      },
    });
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      const status = response.statusCode ?? 0;
      text(response).then(() => resolve({ ok: status >= 200 && status < 300, status: String(status) }), reject);
    });
    outgoing.end(method === 'POST' ? JSON.stringify(payloadOf(target)) : undefined);
  });
}
