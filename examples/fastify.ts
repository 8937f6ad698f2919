/**
 * Fastify: requirements in the routes' config. A route that declares none is refused.
 *
 *   npx tsx examples/fastify.ts      (PORT=3000 for a port of your choice)
 *
 * It prints a token and the calls to try with it.
 */
import fastify from 'fastify';
import { createPostern, memoryStore } from 'postern';
import { notFound, posternPlugin } from 'postern/fastify';
import { onShutdown } from './shutdown.js';

const postern = createPostern({ store: memoryStore() });
await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
const { token } = await postern.tokens.create({
  name: 'example',
  owner: 'you',
  types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:read'] } },
});

const app = fastify();
await app.register(posternPlugin, { postern });
app.setNotFoundHandler(notFound());
app.post('/summarizer', { config: { requirement: { endpoint: 'summarizer' } } }, async (request) => ({
  summary: 'short',
  calledBy: request.principal?.owner,
}));
app.get('/models', { config: { requirement: { scope: 'models:read' } } }, async () => ({ models: [] }));
app.post('/models', { config: { requirement: { scope: 'models:write' } } }, async (_request, reply) => {
  reply.code(201);
  return {};
});
app.get('/healthz', { config: { requirement: { public: true } } }, async () => 'up');
app.get('/forgotten', async () => 'declares nothing, so that nobody ever sees this');

const url = await app.listen({ port: Number(process.env.PORT ?? 0), host: '127.0.0.1' });
const bearer = `-H "Authorization: Bearer ${token}"`;
console.log(`allowed:              curl -i -X POST ${url}/summarizer ${bearer}`);
console.log(`allowed:              curl -i ${url}/models ${bearer}`);
console.log(`scope missing:        curl -i -X POST ${url}/models ${bearer}`);
console.log(`token missing:        curl -i -X POST ${url}/summarizer`);
console.log(`requirement missing:  curl -i ${url}/forgotten ${bearer}`);

onShutdown(async () => {
  await app.close();
  await postern.close();
});
