export const host = 'NestJS 11';
export const how = 'CommonJS under Jest as Nest sets it up; on Express and on Fastify';

/** As the compiler of a Nest application writes it: CommonJS, decorators applied. */
const TEST = `
require('reflect-metadata');
const { Controller, Get, Module } = require('@nestjs/common');
const { ExpressAdapter } = require('@nestjs/platform-express');
const { FastifyAdapter } = require('@nestjs/platform-fastify');
const { Test } = require('@nestjs/testing');
const { Caller, PosternModule, Requires } = require('postern/nestjs');
const { createTestPostern } = require('postern/testing');

function route(target, name, path, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
  for (const decorate of [...decorators, Get(path)]) decorate(target.prototype, name, descriptor);
}

class Models {
  list(principal) { return { by: principal.owner }; }
  forgotten() { return 'reached'; }
}
Controller()(Models);
Caller()(Models.prototype, 'list', 0);
route(Models, 'list', '/models', Requires({ scope: 'models:read' }));
route(Models, 'forgotten', '/forgotten');

describe.each([['Express', () => new ExpressAdapter()], ['Fastify', () => new FastifyAdapter()]])('on %s', (_, adapter) => {
  const { postern } = createTestPostern();
  let app;
  let url;
  beforeAll(async () => {
    class Application {}
    Module({ imports: [PosternModule.forRoot({ postern })], controllers: [Models] })(Application);
    const built = await Test.createTestingModule({ imports: [Application] }).compile();
    app = built.createNestApplication(adapter());
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });
  afterAll(() => app.close());
  const ask = (path, bearer) => fetch(url + path, { headers: bearer ? { authorization: 'Bearer ' + bearer } : {} });

  test('401 with a challenge, 200 with the caller, 403 for what declares nothing, 401 once revoked', async () => {
    const refused = await ask('/models');
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="postern", scope="models:read"']);
    const made = await postern.tokens.create({ name: 'a', owner: 'ann', types: { developer: { scopes: ['models:read'] } } });
    const answer = await ask('/models', made.token);
    expect([answer.status, await answer.json()]).toEqual([200, { by: 'ann' }]);
    const forgotten = await ask('/forgotten', made.token);
    expect([forgotten.status, (await forgotten.json()).code]).toEqual([403, 'requirement_missing']);
    await postern.tokens.revoke(made.record.id);
    expect((await ask('/models', made.token)).status).toBe(401);
  });
});
`;

export async function run(context) {
  await context.write({
    'package.json': { private: true, jest: { testRegex: '.*\\.spec\\.js$', testEnvironment: 'node' } },
    'models.spec.js': TEST,
  });
  const { stderr } = await context.node([context.bin('jest')], { timeout: 120_000 });
  if (!/Tests:\s+2 passed, 2 total/.test(stderr)) throw new Error(stderr);
  return ['on Express and on Fastify: 401 with its challenge, 200, 403 for an undeclared route, 401 once revoked'];
}
