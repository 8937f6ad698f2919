/** The example of a framework. */
export interface Example {
  /** Packages beside postern, with their versions. */
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly imports: string;
  /** One guarded route. It names `postern` and `port`. */
  readonly server: string;
}

export type Framework = keyof typeof FRAMEWORKS;

export const FRAMEWORKS = {
  express: {
    dependencies: { express: '^5.0.0' },
    devDependencies: { '@types/express': '^5.0.0' },
    imports: `import express from 'express';
import { createPostern } from 'postern';
import { guard, notFound } from 'postern/express';`,
    server: `const app = express();
app.get('/notes', guard(postern, { scope: 'notes:read' }), (request, response) => {
  response.json({ notes: [], owner: request.principal?.owner });
});
app.use(notFound());

const server = app.listen(port, '127.0.0.1', () => console.log(\`Listening on http://127.0.0.1:\${port}\`));
onStop(() => server.close(() => postern.close()));`,
  },
  fastify: {
    dependencies: { fastify: '^5.0.0' },
    imports: `import { fastify } from 'fastify';
import { createPostern } from 'postern';
import { notFound, posternPlugin } from 'postern/fastify';`,
    server: `const app = fastify();
// A route that declares no requirement is refused.
await app.register(posternPlugin, { postern });
app.setNotFoundHandler(notFound());
app.get('/notes', { config: { requirement: { scope: 'notes:read' } } }, async (request) => ({
  notes: [],
  owner: request.principal?.owner,
}));

await app.listen({ port, host: '127.0.0.1' });
console.log(\`Listening on http://127.0.0.1:\${port}\`);
onStop(() => app.close().then(() => postern.close()));`,
  },
  hono: {
    dependencies: { hono: '^4.0.0', '@hono/node-server': '^2.0.0' },
    imports: `import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createPostern } from 'postern';
import { guard, notFound, refuseUndeclared } from 'postern/hono';`,
    server: `const app = new Hono();
// A route that has no guard is refused.
app.use(refuseUndeclared());
app.get('/notes', guard(postern, { scope: 'notes:read' }), (c) =>
  c.json({ notes: [], owner: c.get('principal')?.owner }),
);
app.notFound(notFound());

const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () =>
  console.log(\`Listening on http://127.0.0.1:\${port}\`),
);
onStop(() => server.close(() => postern.close()));`,
  },
  nest: {
    dependencies: {
      '@nestjs/common': '^12.0.0',
      '@nestjs/core': '^12.0.0',
      '@nestjs/platform-express': '^12.0.0',
      'reflect-metadata': '^0.2.0',
      rxjs: '^7.0.0',
    },
    imports: `import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createPostern, type RegisteredPrincipal } from 'postern';
import { Caller, PosternModule, Requires } from 'postern/nestjs';`,
    server: `@Controller('notes')
class Notes {
  // A handler that declares no requirement is refused.
  @Get()
  @Requires({ scope: 'notes:read' })
  list(@Caller() caller: RegisteredPrincipal | null) {
    return { notes: [], owner: caller?.owner };
  }
}

@Module({ imports: [PosternModule.forRoot({ postern })], controllers: [Notes] })
class Application {}

const app = await NestFactory.create(Application, { logger: ['error', 'warn'] });
await app.listen(port, '127.0.0.1');
console.log(\`Listening on http://127.0.0.1:\${port}\`);
onStop(() => app.close().then(() => postern.close()));`,
  },
} as const satisfies Readonly<Record<string, Example>>;

/**
 * The text of the server.
 *
 * @param ending the ending of an import of a file beside it: `js` or `mjs`
 */
export function serverOf(framework: Framework, ending: string): string {
  const { imports, server }: Example = FRAMEWORKS[framework];
  return `${imports}
import { options } from './postern.config.${ending}';

const postern = createPostern(options);

// So that requirements and principals have the types of this application.
declare module 'postern' {
  interface Register {
    postern: typeof postern;
  }
}

const port = Number(process.env.PORT ?? 3000);

${server}

function onStop(close: () => unknown): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, close);
}
`;
}

export const CONFIG = `import { endpointAccess, type PosternOptions, scopeAccess } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';

/** For the server, and for the command postern. */
export const options = {
  store: sqliteStore({ filename: new URL('./postern.db', import.meta.url) }),
  tokenTypes: {
    user: endpointAccess(),
    developer: scopeAccess({
      notes: { read: [], write: ['read'] },
    }),
  },
} satisfies PosternOptions;
`;
