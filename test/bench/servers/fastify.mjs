import bearerAuth from '@fastify/bearer-auth';
import fastifyJwt from '@fastify/jwt';
import fastify from 'fastify';
import { makeJwts } from '../lib/jwts.mjs';
import { load } from '../lib/postern.mjs';
import { ENDPOINT, HOT } from '../lib/tokens.mjs';
import { assertGuarded, BODY, posternWithTokens, serveVariant } from './serve-variant.mjs';

const route = (app, options = {}) => app.get('/', options, async () => BODY);

async function listen(app) {
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server.address().port;
}

async function guarded(app, credentials) {
  const port = await listen(app);
  await assertGuarded(port, credentials[0]);
  return { port, credentials };
}

await serveVariant({
  async bare() {
    const app = fastify();
    route(app);
    return { port: await listen(app) };
  },
  async guarded() {
    const { postern, credentials } = await posternWithTokens();
    const { posternPlugin } = await load('fastify');
    const app = fastify();
    await app.register(posternPlugin, { postern });
    route(app, { config: { requirement: ENDPOINT } });
    return guarded(app, credentials);
  },
  async 'bearer-auth'() {
    // One key, which is its fastest form: it compares with every key that there is. As long as our tokens.
    const key = `pst_${'k'.repeat(49)}`;
    const app = fastify();
    await app.register(bearerAuth, { keys: new Set([key]) });
    route(app);
    return guarded(app, [key]);
  },
  async jwt() {
    const { tokens, publicPem } = makeJwts('RS256', HOT);
    const app = fastify();
    await app.register(fastifyJwt, {
      secret: { public: publicPem },
      verify: { algorithms: ['RS256'], cache: 10 * HOT, cacheTTL: 86_400_000 },
    });
    app.addHook('onRequest', (request) => request.jwtVerify());
    route(app);
    return guarded(app, tokens);
  },
});
