import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Postern } from 'postern';
import { createGateway, type GatewayOptions } from 'postern/gateway';
import { envoyClient, headersOf } from './envoy-client.js';

/** What a proxy is told: the headers for the service behind, or the answer for the caller. */
interface Told {
  readonly allowed: boolean;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Reached = (principal: unknown) => void;
type Requirement = GatewayOptions['requirement'];
type Zone = NonNullable<GatewayOptions['zone']>;

/** A proxy that asks over HTTP, as Caddy and Traefik do, and whose service behind answers `reached`. */
export async function forwardAuthProxy(postern: Postern, requirement: Requirement, zone: Zone, reached: Reached) {
  const gateway = createGateway(postern, { requirement, zone, trustedProxies: ['192.0.2.1'] });
  return proxy(reached, async (request) => {
    const headers = headersIn(request);
    headers.set('x-forwarded-method', request.method as string);
    headers.set('x-forwarded-host', 'service.test');
    headers.set('x-forwarded-uri', request.url as string);
    headers.set('x-forwarded-for', request.socket.remoteAddress as string);
    const answer = await gateway.fetch(new Request('http://gateway/auth', { headers }), { address: '192.0.2.1' });
    return {
      allowed: answer.status === 200,
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: await answer.text(),
    };
  });
}

/** A proxy that asks as Envoy does. */
export async function envoyProxy(postern: Postern, requirement: Requirement, zone: Zone, reached: Reached) {
  const gateway = createGateway(postern, { requirement, zone, trustedProxies: ['127.0.0.1'] });
  const envoy = await envoyClient(gateway.envoy);
  const running = await proxy(reached, async (request) => {
    const {
      status,
      ok_response: ok,
      denied_response: denied,
    } = await envoy.check({
      method: request.method as string,
      path: request.url as string,
      host: 'service.test',
      address: request.socket.remoteAddress as string,
      headers: [...headersIn(request)].map(([key, value]) => ({ key, raw_value: Buffer.from(value) })),
    });
    const { headers = [] } = ok ?? denied ?? {};
    const allowed = status?.code === 0;
    return { allowed, status: denied?.status.code ?? 200, headers: headersOf(headers), body: denied?.body ?? '' };
  });
  return {
    ...running,
    close: async () => {
      envoy.close();
      await running.close();
    },
  };
}

async function proxy(reached: Reached, ask: (request: IncomingMessage) => Promise<Told>) {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { allowed, status, headers, body } = await ask(request);
    if (!allowed) return response.writeHead(status, { ...headers, 'content-length': body.length }).end(body);
    const { 'x-postern-owner': owner, 'x-postern-organization': organization } = headers;
    reached(organization === '' ? null : { owner, organization });
    return response.end('reached');
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((closed) => server.close(closed)),
  };
}

function headersIn({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i] as string, rawHeaders[i + 1] as string);
  return headers;
}
