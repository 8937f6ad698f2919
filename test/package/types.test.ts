import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { readmeExample } from './readme.js';

const { full, root } = inject('installed');

/** What an application writes, right and wrong: an unused `@ts-expect-error` is an error too. */
const CONSUMER = `
import * as grpc from '@grpc/grpc-js';
import express from 'express';
import fastify from 'fastify';
import { createPostern, type Decision, memoryStore, PosternError, type Principal } from 'postern';
import { guard as expressGuard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { guard as fetchGuard } from 'postern/fetch';
import { guard as grpcGuard, principalOf } from 'postern/grpc';
import type { Store } from 'postern/store';
import { sqliteStore } from 'postern/stores/sqlite';
import { createTestPostern, testStore } from 'postern/testing';
import { internalNetworks } from 'postern/zones';

const store: Store = sqliteStore({ filename: ':memory:' });
export const postern = createPostern({ store });
declare module 'postern' {
  interface Register {
    postern: typeof postern;
  }
}

const zone = internalNetworks(['10.0.0.0/8']);
const app = express();
app.post('/models', expressGuard(postern, { scope: 'models:write' }, { zone }), (req, res) => {
  const principal: Principal | null | undefined = req.principal;
  res.json(principal);
});
// @ts-expect-error There is no resource 'model'.
app.post('/models', expressGuard(postern, { scope: 'model:write' }), (_req, res) => res.end());

const server = fastify();
server.register(posternPlugin, { postern, zone });
server.get('/a', { config: { requirement: { scope: 'models:read' } } }, (request) => request.principal);
// @ts-expect-error There is no resource 'model'.
server.get('/b', { config: { requirement: { scope: 'model:read' } } }, (request) => request.principal);

export const handler: (request: Request) => Promise<Response> | Response = fetchGuard(
  postern,
  { endpoint: 'summarizer' },
  (_request, { principal }) => Response.json(principal),
);
// @ts-expect-error There is no resource 'model'.
fetchGuard(postern, { scope: 'model:read' }, () => new Response());

export const rpc = new grpc.Server({ interceptors: [grpcGuard(postern, { '/a.B/': { scope: 'models:read' } }, { zone })] });
export const unary: grpc.handleUnaryCall<object, object> = (call, done) => done(null, { who: principalOf(call) });
// @ts-expect-error There is no resource 'model'.
grpcGuard(postern, { '/a.B/': { scope: 'model:read' } });

export async function attempt(): Promise<Decision> {
  const { token } = await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['models:write'] } } });
  // @ts-expect-error There is no token type 'robot'.
  await postern.tokens.create({ name: 'ci', types: { robot: {} } }).catch((error) => error instanceof PosternError);
  return postern.authorize({ token, requirement: { scope: 'models:read' } });
}
export const helpers = { createTestPostern, testStore, other: createPostern({ store: memoryStore(), organization: 'x' }) };
`;

const BASE = {
  target: 'es2022',
  lib: ['es2022', 'dom', 'dom.iterable', 'esnext.disposable'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
};

const FORMS = [
  { name: 'the example of the README', file: 'readme.mts', options: { module: 'node16' } },
  { name: 'module: node16, an ES module', file: 'node16.mts', options: { module: 'node16' } },
  {
    name: 'module: node16, CommonJS',
    file: 'node16.cts',
    options: { module: 'node16', esModuleInterop: true },
  },
  {
    name: 'module: nodenext, CommonJS with isolatedModules',
    file: 'nodenext.cts',
    options: { module: 'nodenext', isolatedModules: true, esModuleInterop: true },
  },
  { name: 'module: node20, CommonJS', file: 'node20.cts', options: { module: 'node20', esModuleInterop: true } },
  { name: 'moduleResolution: bundler', file: 'bundler.ts', options: { module: 'esnext', moduleResolution: 'bundler' } },
];

const host = { getCurrentDirectory: () => full, getCanonicalFileName: (name: string) => name, getNewLine: () => '\n' };

/** What the compiler says of an application, and of the declarations of the package; those of its peers are not ours. */
function diagnosticsOf(file: string, options: object): string {
  const parsed = ts.parseJsonConfigFileContent(
    { compilerOptions: { ...BASE, ...options }, files: [file] },
    ts.sys,
    full,
  );
  const program = ts.createProgram(parsed.fileNames, parsed.options);
  const ours = program.getSourceFiles().filter(({ fileName }) => !/\/node_modules\/(?!postern\/)/.test(fileName));
  const found = [
    ...parsed.errors,
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...program.getSyntacticDiagnostics(),
    ...ours.flatMap((each) => program.getSemanticDiagnostics(each)),
  ];
  expect(ours.some(({ fileName }) => fileName.includes('/node_modules/postern/dist/'))).toBe(true);
  return ts.formatDiagnostics(found, host);
}

describe('the packed declarations', () => {
  afterAll(() => Promise.all(FORMS.map(({ file }) => rm(join(full, file)))));

  it.each(FORMS)('compile in an application: $name', async ({ file, options }) => {
    await writeFile(join(full, file), file.startsWith('readme') ? await readmeExample(root) : CONSUMER);
    expect(diagnosticsOf(file, options)).toBe('');
  });
});
