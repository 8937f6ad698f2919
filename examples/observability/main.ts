/**
 * Observability: metrics of postern for Prometheus, behind a token that may read metrics and nothing else.
 *
 *   npx tsx examples/observability/main.ts      (PORT=3000 for a port of your choice, TOKEN_FILE for the monitoring token)
 *
 * It writes the monitoring token to a file, as Prometheus wants it (prometheus.yml), and prints the calls to try.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import express from 'express';
import { createPostern, endpointAccess, memoryStore, scopeAccess } from 'postern';
import { guard, notFound } from 'postern/express';
import { instrument } from 'postern/otel';
import { onShutdown } from '../shutdown.js';

// Without a server of its own: that one would have no guard.
const exporter = new PrometheusExporter({ preventServerStart: true });
const meterProvider = new MeterProvider({ readers: [exporter] });

const postern = createPostern({
  store: memoryStore(),
  tokenTypes: { user: endpointAccess(), monitoring: scopeAccess({ metrics: { read: [] } }) },
});
instrument(postern, { meterProvider });

await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
const user = await postern.tokens.create({
  name: 'example',
  owner: 'you',
  types: { user: { endpoints: ['summarizer'] } },
});
const monitoring = await postern.tokens.create({
  name: 'prometheus',
  types: { monitoring: { scopes: ['metrics:read'] } },
  ownership: 'organization',
});
const tokenFile = process.env.TOKEN_FILE ?? join(await mkdtemp(join(tmpdir(), 'postern-')), 'postern.token');
await writeFile(tokenFile, monitoring.token, { mode: 0o600 });

const app = express();
app.post('/summarizer', guard(postern, { endpoint: 'summarizer' }), (_request, response) => {
  response.json({ summary: 'short' });
});
app.get('/metrics', guard(postern, { scope: 'metrics:read' }), (request, response) => {
  exporter.getMetricsRequestHandler(request, response);
});
app.use(notFound());

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  console.log(`allowed:        curl -i -X POST ${url}/summarizer -H "Authorization: Bearer ${user.token}"`);
  console.log(`scraped:        curl ${url}/metrics -H "Authorization: Bearer $(cat ${tokenFile})"`);
  console.log(`scope missing:  curl -i ${url}/metrics -H "Authorization: Bearer ${user.token}"`);
});

onShutdown(async () => {
  await new Promise((closed) => server.close(closed));
  await postern.close();
  await meterProvider.shutdown();
});
