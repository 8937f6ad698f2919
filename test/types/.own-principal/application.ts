import express from 'express';
import { Hono } from 'hono';
import { createPostern, memoryStore } from 'postern';
import { guard } from 'postern/express';
import { guard as honoGuard } from 'postern/hono';
import { guard as nodeGuard } from 'postern/node';

/** An application that had a `principal` on its requests before postern came. */
declare global {
  namespace Express {
    interface Request {
      principal: { readonly login: string };
    }
  }
}

const postern = createPostern({ store: memoryStore() });

export const app = express();
app.get('/', guard(postern, { scope: 'models:read' }), (request, response) => {
  const login: string = request.principal.login;
  response.send(login);
});

export const hono = new Hono<{ Variables: { principal: { readonly login: string } } }>();
hono.use('/models/*', honoGuard(postern, { scope: 'models:read' }));
hono.get('/models', (c) => c.text(c.get('principal').login));

export const listener = nodeGuard(postern, { scope: 'models:read' }, (request, response, { principal }) => {
  response.end(`${Object.keys(request).length} ${principal?.owner}`);
});
