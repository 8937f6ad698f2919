import type { AddressInfo } from 'node:net';
import express from 'express';
import { guard, leaseOf } from 'postern/express';
import { leasesOf } from '../../support/leases.js';
import { openPostern, REQUIREMENT, type StoreName } from '../lib/stores.js';
import { answer } from '../lib/workers.js';

/** The second process: a server of events, each stream of which ends with its lease. */
const [name, address, ttl] = process.argv.slice(2) as [StoreName, string, string];
const postern = openPostern(name, address, { cache: { ttl: `${Number(ttl)}ms` } });
const app = express();
app.get('/events', guard(postern, REQUIREMENT), (request, response) => {
  response.set('content-type', 'text/event-stream').write('data: open\n\n');
  leaseOf(request).signal.addEventListener('abort', () => response.end());
});
const server = app.listen(0, '127.0.0.1');

answer(
  {
    port: () => (server.address() as AddressInfo).port,
    leases: () => leasesOf(postern).count().leases,
  },
  async () => {
    server.closeAllConnections();
    await postern.close();
  },
);
