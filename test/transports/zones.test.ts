import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { clientAddress, internalNetworks } from 'postern/zones';
import { describe, expect, it, onTestFinished } from 'vitest';

const from = (remoteAddress: string | undefined, forwarded?: string | string[]) => ({
  socket: { remoteAddress },
  headers: { 'x-forwarded-for': forwarded },
});
const peer = (address: string, forwarded: readonly string[] = []) => ({
  getPeer: () => address,
  metadata: { get: (key: string) => (key === 'x-forwarded-for' ? [...forwarded] : []) },
});

describe('internalNetworks', () => {
  const zone = internalNetworks(['10.0.0.0/8', 'fd00::/8', '192.0.2.7'], {
    trustedProxies: ['172.16.0.1', '172.16.0.2'],
  });

  it.each([
    ['10.1.2.3', 'internal'],
    ['::ffff:10.1.2.3', 'internal'],
    ['::ffff:a01:203', 'internal'],
    ['0:0:0:0:0:ffff:10.1.2.3', 'internal'],
    ['fd12::1', 'internal'],
    ['fd12::1%eth0', 'internal'],
    ['192.0.2.7', 'internal'],
    ['192.0.2.8', 'external'],
    ['11.0.0.1', 'external'],
    ['::ffff:11.0.0.1', 'external'],
    ['2001:db8::10.1.2.3', 'external'],
    ['::10.1.2.3', 'external'],
    ['fe80::1', 'external'],
    ['', 'external'],
    ['10.1.2', 'external'],
    ['010.1.2.3', 'external'],
    ['10.1.2.3:80', 'external'],
    [undefined, 'external'],
  ] as const)('takes a socket at %s as %s', (address, expected) => {
    expect(zone(from(address))).toBe(expected);
  });

  it('ignores X-Forwarded-For of anyone but a trusted proxy', () => {
    expect(zone(from('203.0.113.9', '10.1.2.3'))).toBe('external');
    expect(zone(from('203.0.113.9', '10.1.2.3, 172.16.0.1'))).toBe('external');
    expect(zone(from('10.1.2.3', '203.0.113.9'))).toBe('internal');
  });

  it.each([
    ['10.1.2.3', 'internal'],
    ['203.0.113.9', 'external'],
    // The caller forged the first address, and the proxy appended the real one.
    ['10.1.2.3, 203.0.113.9', 'external'],
    ['10.1.2.3,203.0.113.9', 'external'],
    // Through a second proxy.
    ['10.1.2.3, 172.16.0.2', 'internal'],
    ['10.9.9.9, 203.0.113.9, 172.16.0.2', 'external'],
    // Unusable values.
    ['', 'external'],
    ['unknown', 'external'],
    ['10.1.2.3, unknown', 'external'],
    ['10.1.2.3:443', 'internal'],
    ['10.1.2.3,', 'external'],
  ])('takes %j of a trusted proxy as %s', (forwarded, expected) => {
    expect(zone(from('172.16.0.1', forwarded))).toBe(expected);
    expect(zone(from('::ffff:172.16.0.1', forwarded))).toBe(expected);
    expect(zone(peer('172.16.0.1:5000', [forwarded]))).toBe(expected);
  });

  it('takes a caller as external if a trusted proxy names none', () => {
    const all = internalNetworks(['10.0.0.0/8'], { trustedProxies: ['10.0.0.1'] });
    expect(all(from('10.0.0.1'))).toBe('external');
    expect(all(from('10.0.0.2'))).toBe('internal');
    expect(all(from('10.0.0.1', '10.0.0.1'))).toBe('external');
    expect(all(from('10.0.0.1', '10.0.0.2'))).toBe('internal');
  });

  it('joins several headers in their order', () => {
    expect(zone(from('172.16.0.1', ['10.1.2.3', '203.0.113.9']))).toBe('external');
    expect(zone(peer('172.16.0.1:5000', ['10.1.2.3', '203.0.113.9']))).toBe('external');
  });

  it('reads the peers of grpc-js', () => {
    expect(zone(peer('10.1.2.3:5000'))).toBe('internal');
    expect(zone(peer('[fd12::1]:5000'))).toBe('internal');
    expect(zone(peer('fd12::1:5000'))).toBe('internal');
    expect(zone(peer('203.0.113.9:5000'))).toBe('external');
    expect(zone(peer('/var/run/10.1.2.3'))).toBe('external');
    expect(zone(peer('unknown'))).toBe('external');
  });

  it('takes nobody as internal for an empty list, and trusts nobody for an empty list of proxies', () => {
    const nobody = internalNetworks([]);
    for (const address of ['127.0.0.1', '::1', '10.0.0.1', '::ffff:10.0.0.1']) {
      expect(nobody(from(address, '10.0.0.1'))).toBe('external');
    }
    expect(internalNetworks(['10.0.0.0/8'], { trustedProxies: [] })(from('172.16.0.1', '10.1.2.3'))).toBe('external');
  });

  it('accepts every spelling of an IPv4 network', () => {
    for (const spelling of ['10.0.0.0/8', '::ffff:10.0.0.0/104', '::ffff:a00:0/104', '0:0:0:0:0:FFFF:10.0.0.0/104']) {
      const same = internalNetworks([spelling]);
      expect(same(from('10.200.0.1'))).toBe('internal');
      expect(same(from('::ffff:10.200.0.1'))).toBe('internal');
      expect(same(from('11.0.0.1'))).toBe('external');
    }
  });

  it('ignores forged headers of an external caller behind a proxy', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), { maxLength: 6 }), (forged) => {
        expect(zone(from('172.16.0.1', [...forged, '203.0.113.9'].join(', ')))).toBe('external');
        expect(zone(from('203.0.113.9', forged.join(', ')))).toBe('external');
      }),
    );
  });

  it.each([
    [['10.0.0.0/33']],
    [['fd00::/129']],
    [['10.0.0']],
    [['localhost']],
    [['']],
    [[7]],
    ['10.0.0.0/8'],
    [['::1%lo']],
  ])('refuses the networks %j', (networks) => {
    expect(() => internalNetworks(networks as string[])).toThrow(
      expect.objectContaining({ code: 'option_invalid', path: 'networks' }),
    );
  });

  it('refuses an unknown option', () => {
    expect(() => internalNetworks([], { trustProxy: true } as never)).toThrow(
      expect.objectContaining({ code: 'option_unknown', path: 'trustProxy' }),
    );
  });
});

describe('clientAddress returns', () => {
  const request = (remoteAddress: string | undefined, forwarded?: string) => ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  });

  it.each([
    ['the address of the socket', [], '203.0.113.7', undefined, '203.0.113.7'],
    ['the IPv4 address of an IPv6 one', [], '::ffff:203.0.113.7', undefined, '203.0.113.7'],
    ["the socket's address if an untrusted caller sent the header", [], '203.0.113.7', '10.0.0.9', '203.0.113.7'],
    ['the address that a trusted proxy wrote', ['10.0.0.1'], '10.0.0.1', '198.51.100.2, 203.0.113.7', '203.0.113.7'],
    ['null if a trusted proxy names none', ['10.0.0.1'], '10.0.0.1', undefined, null],
    ['null without a socket', [], undefined, undefined, null],
  ])('%s', (_, trustedProxies, address, forwarded, expected) => {
    expect(clientAddress({ trustedProxies })(request(address, forwarded))).toBe(expected);
  });

  it('an error that names the option for an invalid list of proxies', () => {
    expect(() => clientAddress({ trustedProxies: ['proxy'] })).toThrow(
      /^trustedProxies of clientAddress: "proxy" is no network/,
    );
  });
});

describe('spellings of addresses in X-Forwarded-For', () => {
  const zone = internalNetworks(['10.0.0.0/8', 'fd00::/8'], { trustedProxies: ['172.16.0.1', 'fd99::1'] });

  it.each([
    ['10.1.2.3:50714', 'internal'],
    ['[fd12::1]', 'internal'],
    ['[fd12::1]:50714', 'internal'],
    ['[::ffff:10.1.2.3]:1', 'internal'],
    ['fd12::1', 'internal'],
    ['203.0.113.9:50714', 'external'],
    ['[2001:db8::1]:1', 'external'],
    ['10.1.2.3, [fd99::1]:443', 'internal'],
    ['10.1.2.3:', 'external'],
    ['10.1.2.3:123456', 'external'],
    ['[10.1.2.3', 'external'],
    ['[[fd12::1]]', 'external'],
    ['10.1.2.3:80:80', 'external'],
    ['unix:', 'external'],
  ])('the caller %s is %s', (forwarded, expected) => {
    expect(zone(from('172.16.0.1', forwarded))).toBe(expected);
  });

  it('a socket has an address without a port', () => {
    expect(zone(from('10.1.2.3:80'))).toBe('external');
  });
});

describe('a proxy on a socket file', () => {
  const internal = ['10.0.0.0/8'];

  /** Asks a server on a socket file as a proxy would, and gives the zone and the caller's address. */
  async function ask(trustedProxies: string[], headers: Record<string, string>): Promise<unknown> {
    const zone = internalNetworks(internal, { trustedProxies });
    const addressOf = clientAddress({ trustedProxies });
    const directory = await mkdtemp(join(tmpdir(), 'zones-'));
    const socketPath = join(directory, 'socket');
    const server = createServer((request, response) => {
      response.end(JSON.stringify([zone(request), addressOf(request)]));
    });
    onTestFinished(async () => {
      server.close();
      await rm(directory, { recursive: true });
    });
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    return new Promise((resolve, reject) => {
      get({ socketPath, headers }, async (response) => {
        let body = '';
        for await (const chunk of response) body += chunk;
        resolve(JSON.parse(body));
      }).on('error', reject);
    });
  }

  it.each([
    [['unix:'], { 'x-forwarded-for': '10.1.2.3' }, 'internal', '10.1.2.3'],
    [['unix:'], { 'x-forwarded-for': '203.0.113.9' }, 'external', '203.0.113.9'],
    [['unix:'], { 'x-forwarded-for': '10.1.2.3, unix:' }, 'internal', '10.1.2.3'],
    [['unix:'], {}, 'external', null],
    [['unix:'], { 'x-forwarded-for': 'unix:' }, 'external', null],
    [[], { 'x-forwarded-for': '10.1.2.3' }, 'external', null],
    [['172.16.0.1'], { 'x-forwarded-for': '10.1.2.3' }, 'external', null],
  ])('trusted %j, with %j: %s, %s', async (trusted, headers, zone, address) => {
    expect(await ask(trusted, headers as Record<string, string>)).toEqual([zone, address]);
  });

  it('is not a connection that is closed, which has no address either', () => {
    const zone = internalNetworks(internal, { trustedProxies: ['unix:'] });
    expect(zone(from(undefined, '10.1.2.3'))).toBe('external');
    const server = { address: () => ({ address: '0.0.0.0', family: 'IPv4', port: 80 }) };
    const closed = { socket: { remoteAddress: undefined, server }, headers: { 'x-forwarded-for': '10.1.2.3' } };
    expect(zone(closed)).toBe('external');
  });

  it('reaches gRPC over a socket file, too', () => {
    const zone = internalNetworks(internal, { trustedProxies: ['unix:'] });
    expect(zone(peer('unix:/run/proxy.sock', ['10.1.2.3']))).toBe('internal');
    expect(internalNetworks(internal)(peer('unix:/run/proxy.sock', ['10.1.2.3']))).toBe('external');
  });

  it('is no network of callers', () => {
    expect(() => internalNetworks(['unix:'])).toThrow(expect.objectContaining({ code: 'option_invalid' }));
  });
});
