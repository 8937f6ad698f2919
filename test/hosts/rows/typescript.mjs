import { createRequire } from 'node:module';
import { join } from 'node:path';

export const host = 'TypeScript';
export const how =
  '5.4 to the newest; node16, nodenext and bundler; from ES modules and from CommonJS; skipLibCheck off';

const VERSIONS = ['typescript-5.4', 'typescript', 'typescript-6', 'typescript-7'];

/** Each with an ES module and a CommonJS file, where it knows both. To this package `nodenext` is what `node16` is: the newest tries it. */
const MODES = [
  { name: 'node16', files: ['esm.mts', 'cjs.cts'], options: { module: 'node16' } },
  { name: 'bundler', files: ['bundled.ts'], options: { module: 'esnext', moduleResolution: 'bundler' } },
  { name: 'nodenext', files: ['esm.mts', 'cjs.cts'], options: { module: 'nodenext' }, only: VERSIONS.at(-1) },
];

const CONSUMER = `
import express = require('express');
import { createPostern, memoryStore, isPosternError, type Principal, type Decision } from 'postern';
import { guard } from 'postern/express';
import { accessTokens, derive } from 'postern/jwt';
import { managementApi, toNodeHandler } from 'postern/management';
import { sqliteStore } from 'postern/stores/sqlite';
import { createTestPostern, testStore } from 'postern/testing';
import type { Store } from 'postern/store';

const store: Store = sqliteStore({ filename: ':memory:' });
export const postern = createPostern({ store });
declare module 'postern' {
  interface Register {
    postern: typeof postern;
  }
}
const app = express();
app.get('/models', guard(postern, { scope: 'models:read' }), (req, res) => {
  const principal: Principal | null | undefined = req.principal;
  res.json(principal);
});
// @ts-expect-error There is no resource 'model'.
app.get('/wrong', guard(postern, { scope: 'model:read' }), (_req, res) => res.end());
app.use(toNodeHandler(managementApi(postern)));
export async function use(token: string): Promise<Decision<any>> {
  const signed = accessTokens({ issuer: 'https://a.example', audience: 'https://b.example' });
  await signed.exchange(postern, token, { scopes: ['models:read'] }).catch((error: unknown) => isPosternError(error) && error.code);
  return postern.authorize({ token: await derive(token, { expiresIn: '5m' }), requirement: { scope: 'models:read' } });
}
export const helpers = { createTestPostern, testStore, memoryStore };
`;

export async function run(context) {
  const esm = CONSUMER.replace("import express = require('express');", "import express from 'express';");
  await context.write({ 'package.json': { type: 'module' }, 'esm.mts': esm, 'cjs.cts': CONSUMER, 'bundled.ts': esm });
  const seen = [];
  for (const version of VERSIONS) {
    const folder = join(context.modules, version);
    const { version: number, bin } = createRequire(import.meta.url)(join(folder, 'package.json'));
    for (const { name, files, options } of MODES.filter(({ only = version }) => only === version)) {
      const project = `${version}-${name}.json`;
      await context.write({
        [project]: {
          compilerOptions: {
            target: 'es2022',
            lib: ['es2022', 'dom', 'dom.iterable', 'esnext.disposable'],
            types: ['node'],
            strict: true,
            exactOptionalPropertyTypes: true,
            isolatedModules: true,
            esModuleInterop: true,
            skipLibCheck: false,
            skipDefaultLibCheck: true,
            noEmit: true,
            ...options,
          },
          files,
        },
      });
      await context.node([join(folder, bin.tsc), '-p', project]);
    }
    seen.push(number);
  }
  return [
    `${seen.join(', ')}: each compiles in node16 (ES module and CommonJS) and bundler, the newest in nodenext too`,
  ];
}
