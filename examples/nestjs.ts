/**
 * NestJS: requirements as decorators. A handler that declares none is refused.
 *
 *   npx tsx examples/nestjs.ts       (PORT=3000 for a port of your choice)
 *
 * It prints a token and the calls to try with it.
 */
import { Controller, Get, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createPostern, memoryStore, type Principal } from 'postern';
import { Caller, PosternModule, Requires } from 'postern/nestjs';
import { onShutdown } from './shutdown.js';

const postern = createPostern({ store: memoryStore() });
await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
const { token } = await postern.tokens.create({
  name: 'example',
  owner: 'you',
  types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:read'] } },
});

@Controller('models')
@Requires({ scope: 'models:read' })
class Models {
  @Get()
  list() {
    return { models: [] };
  }

  @Post()
  @Requires({ scope: 'models:write' })
  create() {
    return {};
  }
}

@Controller('summarizer')
class Summarizer {
  @Post()
  @HttpCode(200)
  @Requires({ endpoint: 'summarizer' })
  summarize(@Caller() caller: Principal | null) {
    return { summary: 'short', calledBy: caller?.owner };
  }
}

@Module({ imports: [PosternModule.forRoot({ postern })], controllers: [Models, Summarizer] })
class Application {}

const app = await NestFactory.create(Application, { logger: ['error'] });
await app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
const url = await app.getUrl();
const bearer = `-H "Authorization: Bearer ${token}"`;
console.log(`allowed:        curl -i -X POST ${url}/summarizer ${bearer}`);
console.log(`scope missing:  curl -i -X POST ${url}/models ${bearer}`);

onShutdown(() => app.close().then(() => postern.close()));
