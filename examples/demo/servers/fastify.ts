import fastify from 'fastify';
import { notFound, posternPlugin } from 'postern/fastify';
import { internalNetworks } from 'postern/zones';
import { HOST, INSIDE, portOf, type Running, type Serving } from './serving.js';

type Named = { Params: { name: string } };

export async function startFastify({ postern, deployments, onDenied }: Serving): Promise<Running> {
  const app = fastify();
  await app.register(posternPlugin, { postern, zone: internalNetworks([INSIDE]), onDenied });
  app.setNotFoundHandler(notFound());

  app.route<Named>({
    method: ['GET', 'POST'],
    url: '/d/:name',
    config: { requirement: (request) => ({ endpoint: (request.params as Named['Params']).name }) },
    handler: async (request) => deployments.run(request.params.name, request.principal),
  });
  app.get('/api/v1/models', { config: { requirement: { scope: 'models:read' } } }, async () =>
    deployments.listModels(),
  );
  app.post('/api/v1/models', { config: { requirement: { scope: 'models:write' } } }, async (request, reply) => {
    reply.code(201);
    return deployments.createModel(request.body, request.principal);
  });

  await app.listen({ port: 0, host: HOST });
  return { port: portOf(app.server), close: () => app.close() };
}
