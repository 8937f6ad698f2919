import { once } from 'node:events';
import express from 'express';
import { guard, notFound } from 'postern/express';
import { internalNetworks } from 'postern/zones';
import { HOST, INSIDE, portOf, type Running, type Serving } from './serving.js';

export async function startExpress({ postern, deployments, onDenied }: Serving): Promise<Running> {
  const options = { zone: internalNetworks([INSIDE]), onDenied };
  const app = express();

  // The guard stands before the body parser: what is refused is not read.
  app.all(
    '/d/:name',
    guard(postern, (request) => ({ endpoint: request.params.name }), options),
    express.json(),
    (request, response) => {
      response.json(deployments.run(request.params.name as string, request.principal));
    },
  );
  app.get('/api/v1/models', guard(postern, { scope: 'models:read' }, options), (_request, response) => {
    response.json(deployments.listModels());
  });
  app.post(
    '/api/v1/models',
    guard(postern, { scope: 'models:write' }, options),
    express.json(),
    (request, response) => {
      response.status(201).json(deployments.createModel(request.body, request.principal));
    },
  );
  app.use(notFound());

  const server = app.listen(0, HOST);
  await once(server, 'listening');
  return {
    port: portOf(server),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
