import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPostern, memoryStore } from 'postern';
import { createGateway, endpointFromHost } from 'postern/gateway';
import { generateKeys } from 'postern/jwt';
import { Endings, serveGateway } from '../../gateway/real-proxies.js';
import { answer } from '../lib/workers.js';

/** The gateway alone in its process, so that its processor time is its own. With the parameter `service`: the service behind. */
const endings = new Endings();

if (process.argv[2] === 'service') {
  const server = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  endings.add(() => server.close());
  answer({ port: () => (server.address() as AddressInfo).port }, () => endings.run());
} else {
  const postern = createPostern({ store: memoryStore(), organization: 'acme' });
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  const gateway = createGateway(postern, {
    requirement: endpointFromHost('{endpoint}.{organization}.cloud.example.com'),
    trustedProxies: ['127.0.0.1'],
    hop: { issuer: 'https://auth.example.com', keys: await generateKeys() },
  });
  const ports = await serveGateway(gateway, endings);
  const functions = {
    ports: () => ports,
    async issue() {
      const { token, record } = await postern.tokens.create({
        name: 'x',
        types: { user: { endpoints: ['summarizer'] } },
      });
      return { token, id: record.id };
    },
    revoke: async (id: string) => void (await postern.tokens.revoke(id)),
    /** Microseconds of this process so far. */
    time: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
  };
  answer(functions as Parameters<typeof answer>[0], () => endings.run());
}
