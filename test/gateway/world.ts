import { type bentocloudTokenTypes, memoryRateLimiter } from 'postern';
import { createGateway, endpointFromHost, type Gateway, type GatewayOptions } from 'postern/gateway';
import { createTestPostern, type TestPostern } from 'postern/testing';
import { internalNetworks } from 'postern/zones';

export const PATTERN = '{endpoint}.{organization}.cloud.test';
export const PROXY = '192.0.2.1';
export const ISSUER = 'https://auth.acme.test';

export interface GatewayWorld extends TestPostern {
  readonly gateway: Gateway;
  /** Reaches `summarizer` of the organization `acme`. */
  readonly good: string;
}

/** The organization `acme` with an endpoint of each access, and a gateway that finds them by host. */
export async function gatewayWorld(
  options: Partial<GatewayOptions<typeof bentocloudTokenTypes>> = {},
): Promise<GatewayWorld> {
  const world = createTestPostern({ organization: 'acme', rateLimiter: memoryRateLimiter() });
  const { endpoints } = world.postern;
  await endpoints.create({ id: 'summarizer', access: 'protected' });
  await endpoints.create({ id: 'status', access: 'public' });
  await endpoints.create({ id: 'metrics', access: 'private' });
  const good = await world.token({ endpoints: ['summarizer'], owner: 'ada' });
  const gateway = createGateway(world.postern, {
    requirement: endpointFromHost(PATTERN),
    trustedProxies: [PROXY],
    zone: internalNetworks(['10.0.0.0/8']),
    ...options,
  });
  return { ...world, gateway, good };
}

export interface Forwarded {
  readonly host?: string;
  readonly method?: string;
  readonly uri?: string;
  readonly token?: string;
  /** `X-Forwarded-For`. */
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A question as Traefik asks it. */
export function forwarded({ host = 'summarizer.acme.cloud.test', method = 'GET', uri = '/', ...more }: Forwarded = {}) {
  const headers = new Headers({
    'x-forwarded-host': host,
    'x-forwarded-method': method,
    'x-forwarded-uri': uri,
    'x-forwarded-proto': 'https',
    'x-forwarded-for': more.from ?? '198.51.100.7',
    ...more.headers,
  });
  if (more.token !== undefined) headers.set('authorization', `Bearer ${more.token}`);
  return new Request('http://10.1.1.1:4180/auth', { headers });
}
