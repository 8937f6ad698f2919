/**
 * Hono, served by Node. On Workers, Bun and Deno `export default app` takes the place of everything from `serve` on.
 *
 *   npx tsx examples/hono.ts         (PORT=3000 for a port of your choice)
 *
 * It prints a token and the calls to try with it.
 */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createPostern, memoryStore } from 'postern';
import { guard, notFound, refuseUndeclared } from 'postern/hono';
import { onShutdown } from './shutdown.js';

const postern = createPostern({ store: memoryStore() });
await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
const { token } = await postern.tokens.create({
  name: 'example',
  owner: 'you',
  types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:read'] } },
});

const app = new Hono();
// A route that has no guard is refused, not open.
app.use(refuseUndeclared());
app.use('/models/*', guard(postern, { scope: 'models:read' }));
app.get('/models', (c) => c.json({ models: [], calledBy: c.get('principal')?.owner }));
app.post('/models', guard(postern, { scope: 'models:write' }), (c) => c.json({}, 201));
app.post('/summarizer', guard(postern, { endpoint: 'summarizer' }), (c) =>
  c.json({ summary: 'short', calledBy: c.get('principal')?.owner }),
);
app.get('/forgotten', (c) => c.text('never seen'));
app.notFound(notFound());

const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 0), hostname: '127.0.0.1' }, ({ port }) => {
  const url = `http://127.0.0.1:${port}`;
  const bearer = `-H "Authorization: Bearer ${token}"`;
  console.log(`allowed:        curl -i -X POST ${url}/summarizer ${bearer}`);
  console.log(`scope missing:  curl -i -X POST ${url}/models ${bearer}`);
  console.log(`undeclared:     curl -i ${url}/forgotten ${bearer}`);
});

onShutdown(() => new Promise((closed) => server.close(closed)).then(() => postern.close()));
