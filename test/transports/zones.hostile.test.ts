import { clientAddress, internalNetworks } from 'postern/zones';
import { expect, it } from 'vitest';
import { send } from './http-client.js';
import { serve } from './support.js';

const proxies = { trustedProxies: ['127.0.0.1'] };

/** The answer to a proxy that writes a line of its own behind the caller's headers. */
async function behind(many: number, most?: number) {
  const [zone, addressOf] = [internalNetworks(['10.0.0.0/8'], proxies), clientAddress(proxies)];
  const port = await serve((request, response) => {
    response.end(JSON.stringify([zone(request), addressOf(request)]));
  }, most);
  const short = Array.from({ length: many }, () => ['a', ''] as const);
  const headers = [['X-Forwarded-For', '10.0.0.9'], ...short, ['X-Forwarded-For', '203.0.113.9']] as const;
  return JSON.parse((await send(port, { path: '/', headers })).body);
}

it.each([900, 995, 996, 997, 998, 1_000, 1_100, 1_500])(
  'a caller with %d short headers does not hide the line of the proxy, which Node drops then',
  async (many) => {
    expect(['203.0.113.9', null]).toContain((await behind(many))[1]);
    expect((await behind(many))[0]).toBe('external');
  },
);

it.each([27, 28, 29, 30, 31, 32, 33, 60])('%d headers neither, of a server that reads 32 of them', async (many) => {
  expect((await behind(many, 32))[0]).toBe('external');
});

it('a server that reads all of them hears the proxy', async () => {
  expect(await behind(1_500, 0)).toEqual(['external', '203.0.113.9']);
});
