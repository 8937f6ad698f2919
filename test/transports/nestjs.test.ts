import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { Controller, type ExecutionContext, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { memoryRateLimiter, type Principal } from 'postern';
import { Caller, lintRoutes, noteHandshake, PosternModule, type PosternModuleOptions, Requires } from 'postern/nestjs';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { refusal, thrown } from '../support/outcomes.js';
import { send } from './http-client.js';
import { clientOfTable } from './nestjs-grpc.js';

const bearer = (token: string) => [['Authorization', `Bearer ${token}`]] as const;
type Class = new (...args: never[]) => object;

async function startHttp(controllers: Class[], options: PosternModuleOptions, providers: Class[] = []) {
  @Module({ imports: [PosternModule.forRoot(options)], controllers, providers })
  class Application {}
  const app = await NestFactory.create(Application, { logger: false });
  app.useWebSocketAdapter(new WsAdapter(app));
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  return { app, port: (app.getHttpServer().address() as AddressInfo).port };
}

@Controller('models')
@Requires({ scope: 'models:read' })
class Models {
  @Get()
  list(@Caller() caller: Principal | null) {
    return caller?.owner;
  }
  @Post()
  @Requires({ scope: 'models:write' })
  create() {
    return 'created';
  }
}

@Controller('deployments/:name')
class Deployments {
  @Get()
  @Requires((context: ExecutionContext) => ({ endpoint: context.switchToHttp().getRequest().params.name }))
  call() {
    return 'reached';
  }
  @Get('forgotten')
  forgotten() {
    return 'reached';
  }
}

describe('PosternModule over HTTP', () => {
  it('takes what a handler declares before what its class does, and works it out from the route', async () => {
    const { postern, token } = createTestPostern();
    const { port } = await startHttp([Models, Deployments], { postern, realm: 'models' });
    const reader = bearer(await token({ scopes: ['models:read'], endpoints: ['summarizer'], owner: 'ada' }));
    expect(await send(port, { path: '/models', headers: reader })).toMatchObject({ status: 200, body: 'ada' });
    expect(await send(port, { path: '/models', method: 'POST', headers: reader })).toMatchObject({
      status: 403,
      headers: { 'www-authenticate': 'Bearer realm="models", error="insufficient_scope", scope="models:write"' },
    });
    expect((await send(port, { path: '/deployments/summarizer', headers: reader })).status).toBe(200);
    for (const name of ['nowhere', '..%2fsummarizer', 'Summarizer']) {
      expect((await send(port, { path: `/deployments/${name}`, headers: reader })).status).toBe(404);
    }
    expect((await send(port, { path: '/deployments/summarizer/forgotten', headers: reader })).status).toBe(403);
    expect((await send(port, { path: '/elsewhere' })).status).toBe(404);
  });

  it('tells what is left of a limit', async () => {
    const { postern, token } = createTestPostern({ rateLimiter: memoryRateLimiter() });
    const { port } = await startHttp([Models], { postern });
    const headers = bearer(await token({ scopes: ['*'], rateLimit: { points: 1, duration: '1m' } }));
    expect((await send(port, { path: '/models', headers })).headers.ratelimit).toMatch(/;r=0;/);
    expect((await send(port, { path: '/models', headers })).status).toBe(429);
  });

  it('does not start with a requirement that can not be met, or an option that it does not know', async () => {
    @Controller()
    class Wrong {
      @Get()
      @Requires({ scope: 'model:read' as never })
      list() {}
    }
    const { postern } = createTestPostern();
    expect((await refusal(startHttp([Wrong], { postern }))).code).toBe('scope_unknown');
    // @ts-expect-error No such option.
    expect(thrown(() => PosternModule.forRoot({ postern, undeclared: 'allow' })).code).toBe('option_unknown');
  });

  it('lints', async () => {
    const { postern } = createTestPostern();
    @Controller('orgs/:org')
    class Tenants {
      @Get('models')
      @Requires({ scope: 'models:read' })
      list() {}
    }
    const { app } = await startHttp([Models, Deployments, Tenants], { postern }, [Chat]);
    expect(lintRoutes(app).map(({ route, problem }) => `${route}: ${problem}`)).toEqual([
      'GET /deployments/:name/forgotten: requirement_missing',
      'GET /orgs/:org/models: organization_missing',
      'Chat.forgotten: requirement_missing',
    ]);
  });
});

@WebSocketGateway()
class Chat {
  handleConnection(client: WebSocket, request: IncomingMessage) {
    noteHandshake(client, request);
  }
  @SubscribeMessage('say')
  @Requires({ scope: 'models:read' })
  say(_client: WebSocket, text: string) {
    return { event: 'said', data: text };
  }
  @SubscribeMessage('who')
  @Requires({ authenticated: true })
  who(@Caller() caller: Principal | null) {
    return { event: 'who', data: caller?.owner };
  }
  @SubscribeMessage('forgotten')
  forgotten() {
    return { event: 'reached' };
  }
}

describe('PosternModule in a gateway', () => {
  it('judges each message by the handshake, and hears of every change', async () => {
    const { postern, issue } = createTestPostern();
    const { port } = await startHttp([], { postern }, [Chat]);
    const { token, record } = await issue({ scopes: ['models:read'], owner: 'ada' });
    const ask = async (client: WebSocket, event: string, data: unknown = {}) => {
      const answer = new Promise<string>((resolve) => client.once('message', (each) => resolve(String(each))));
      client.send(JSON.stringify({ event, data }));
      return JSON.parse(await answer);
    };
    const connected = async (headers: Record<string, string>) => {
      const client = new WebSocket(`ws://127.0.0.1:${port}`, { headers });
      onTestFinished(() => client.terminate());
      await new Promise((resolve) => client.once('open', resolve));
      return client;
    };
    const client = await connected({ authorization: `Bearer ${token}` });
    expect(await ask(client, 'say', 'hello')).toEqual({ event: 'said', data: 'hello' });
    expect(await ask(client, 'who')).toEqual({ event: 'who', data: 'ada' });
    expect(await ask(client, 'forgotten')).toMatchObject({ event: 'exception', data: { code: 'requirement_missing' } });
    const nobody = await connected({});
    expect(await ask(nobody, 'say')).toMatchObject({ event: 'exception', data: { code: 'token_missing' } });
    await postern.tokens.update(record.id, { types: { developer: { scopes: ['iam:read'] } } });
    const late = await connected({ authorization: `Bearer ${token}` });
    expect(await ask(late, 'say')).toMatchObject({ event: 'exception', data: { code: 'scope_missing' } });
    await postern.tokens.revoke(record.id);
    expect(await ask(late, 'who')).toMatchObject({ event: 'exception', data: { code: 'token_revoked' } });
  });
});

@Controller()
class Table {
  @GrpcMethod('Table', 'Read')
  @Requires({ scope: 'models:read' })
  read(_data: unknown, _metadata: unknown, _call: unknown, @Caller() caller: Principal | null) {
    return { text: caller?.owner };
  }
  @GrpcMethod('Table', 'Forgotten')
  forgotten() {
    return { text: 'reached' };
  }
}

describe('PosternModule in a gRPC microservice', () => {
  it('answers with the statuses of every gRPC guard, and refuses what declares nothing', async () => {
    const { postern, token } = createTestPostern();
    const text = { fields: { text: { type: 'string', id: 1 } } };
    const methods = Object.fromEntries(
      ['Read', 'Forgotten'].map((name) => [name, { requestType: 'Text', responseType: 'Text', comment: '' }]),
    );
    const packageDefinition = fromJSON({ nested: { table: { nested: { Text: text, Table: { methods } } } } });
    const client = await clientOfTable(postern, Table, packageDefinition);
    const call = (method: string, authorization?: string) =>
      new Promise((resolve) => {
        const metadata = new grpc.Metadata();
        if (authorization !== undefined) metadata.set('authorization', authorization);
        client[method]?.({ text: '' }, metadata, (error: grpc.ServiceError | null, answer: { text: string }) =>
          resolve(error ? [error.code, error.details] : answer.text),
        );
      });
    const good = `Bearer ${await token({ scopes: ['models:read'], owner: 'ada' })}`;
    expect(await call('Read', good)).toBe('ada');
    expect(await call('Read')).toEqual([
      grpc.status.UNAUTHENTICATED,
      'This needs a token, and none came with the call.',
    ]);
    expect(await call('Read', `Bearer ${await token({ scopes: ['iam:read'] })}`)).toMatchObject([
      grpc.status.PERMISSION_DENIED,
      expect.anything(),
    ]);
    expect(await call('Forgotten', good)).toEqual([grpc.status.PERMISSION_DENIED, 'This is not open to anyone.']);
  });
});
