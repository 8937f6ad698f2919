import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { DEPENDENCIES, ENTRIES } from './entries.js';
import { runScript } from './run.js';

const { alone, full } = inject('installed');

/** Notes each module that an import leads to, with the module that asked. */
const HOOKS = `
import { appendFileSync } from 'node:fs';
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  appendFileSync(process.env.TRACE, JSON.stringify([context.parentURL ?? '', found.url]) + '\\n');
  return found;
}`;

beforeAll(async () => {
  await writeFile(join(full, 'hooks.mjs'), HOOKS);
  await writeFile(
    join(full, 'trace.mjs'),
    `import { register } from 'node:module';\nregister('./hooks.mjs', import.meta.url);\n`,
  );
});

/** Nodes before 20.19 and 22.12 can not `require` an ES module, and neither can Jest. */
const WITHOUT_REQUIRE_OF_ESM = ['--no-experimental-require-module'];

function packageOf(path: string): string {
  return /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? '';
}

/** What the package's own files ask for when an entry is imported: names of packages and of Node's modules. */
async function loadedBy(entry: string): Promise<{ packages: string[]; builtins: string[]; all: string[] }> {
  const trace = join(full, `${entry.replaceAll('/', '-')}.trace`);
  await runScript(full, 'mjs', `await import('${entry}');`, {
    flags: ['--import', './trace.mjs'],
    env: { TRACE: trace },
  });
  const lines = (await readFile(trace, 'utf8')).trim().split('\n');
  await rm(trace);
  const edges = lines.map((line): [string, string] => JSON.parse(line));
  const asked = edges.filter(([from]) => from.includes('/node_modules/postern/')).map(([, to]) => to);
  const distinct = (names: string[]) => [...new Set(names)].toSorted();
  return {
    packages: distinct(asked.filter((url) => !url.startsWith('node:')).map(packageOf)).filter(
      (name) => name !== 'postern',
    ),
    builtins: distinct(asked.filter((url) => url.startsWith('node:'))),
    all: distinct(edges.map(([, to]) => packageOf(to))).filter((name) => name !== ''),
  };
}

function peersOf(row: (typeof ENTRIES)[number]): readonly string[] {
  return [...('peer' in row ? [row.peer] : []), ...('also' in row ? row.also : [])];
}

describe.each(ENTRIES)('$entry', (row) => {
  const { entry, node } = row;
  const isEmpty = 'types' in row;

  it('is imported by an ES module', async () => {
    const names = JSON.parse(
      await runScript(full, 'mjs', `console.log(JSON.stringify(Object.keys(await import('${entry}'))));`),
    );
    expect(names.length === 0).toBe(isEmpty);
    expect(names).not.toContain('default');
  });

  it('is required by a CommonJS file, with the same names, where no ES module can be', async () => {
    const out = await runScript(
      full,
      'cjs',
      `const required = require('${entry}');
       const files = Object.keys(require.cache).filter((file) => file !== __filename);
       import('${entry}').then((imported) => {
         console.log(JSON.stringify([Object.keys(required).sort(), Object.keys(imported).sort(), files]));
       });`,
      { flags: 'peerIsEsm' in row ? [] : WITHOUT_REQUIRE_OF_ESM },
    );
    const [required, imported, files] = JSON.parse(out);
    expect(required).toEqual(imported);
    const others = files.filter((file: string) => !file.includes('/node_modules/postern/dist/'));
    expect(files.length - others.length).toBeGreaterThan(0);
    // A peer brings its own packages along.
    if (peersOf(row).length === 0) expect(others).toEqual([]);
  });

  it('is imported by its names out of the CommonJS file', async () => {
    const file = entry.replace(/^postern\/?/, '') || 'index';
    const names = JSON.parse(
      await runScript(
        full,
        'mjs',
        `const [cjs, esm] = await Promise.all([import('./node_modules/postern/dist/${file}.cjs'), import('${entry}')]);
         console.log(JSON.stringify(Object.keys(esm).filter((name) => cjs[name] === undefined)));`,
      ),
    );
    expect(names).toEqual([]);
  });

  it('loads no peer, and Node only where Node is', async () => {
    const { packages, builtins } = await loadedBy(entry);
    expect(packages.filter((name) => ![...DEPENDENCIES, ...peersOf(row)].includes(name))).toEqual([]);
    if (!node) expect(builtins).toEqual([]);
  });

  it('loads where no peer is installed', async () => {
    const out = await runScript(
      alone,
      'mjs',
      `import('${entry}').then(() => console.log('loaded'), (error) => console.log(error.code, error.message));`,
    );
    // An entry over classes of its host needs the host: Node names it.
    expect(out).toContain('peer' in row ? `'${row.peer}'` : 'loaded');
  });
});

/** The first call that needs a package which is not installed. */
const MISSING = {
  'rate-limiter-flexible': `import { redisRateLimiter } from 'postern/limits';
    await redisRateLimiter({ client: {} }).consume('x', { points: 1, duration: 1_000 }, 0);`,
  pg: `import { postgresStore } from 'postern/stores/postgres';
    await postgresStore({ connectionString: 'postgres://localhost/x' }).findToken('x');`,
  ioredis: `import { redisStore } from 'postern/stores/redis';
    await redisStore({ url: 'redis://localhost' }).findToken('x');`,
} as const;

it.each(Object.entries(MISSING))(
  'without %s the error names it and the command that installs it',
  async (name, script) => {
    const [imports, call] = script.split('\n');
    const out = await runScript(
      alone,
      'mjs',
      `${imports}
     try { ${call} } catch (error) { console.log(error.code, error.message); }`,
    );
    expect(out).toMatch(/^driver_missing /);
    expect(out).toContain(`npm install ${name}`);
  },
);

it('a process that verifies API tokens loads neither jose nor the whole of zod', async () => {
  const { all } = await loadedBy('postern');
  expect(all).toContain('postern');
  expect(all).not.toContain('jose');
  expect(all).not.toContain('zod');
});

/** A refusal of each entry, made by its own check of options. */
const REFUSALS = {
  'postern/express': `entry.guard(postern, { public: true }, { nonsense: 1 })`,
  'postern/fastify': `await fastify().register(entry.posternPlugin, { postern, nonsense: 1 })`,
  'postern/fetch': `entry.guard(postern, { public: true }, () => new Response(), { nonsense: 1 })`,
  'postern/hono': `entry.guard(postern, { public: true }, { nonsense: 1 })`,
  'postern/nestjs': `entry.PosternModule.forRoot({ postern, nonsense: 1 })`,
  'postern/connect': `entry.guard(postern, {}, { nonsense: 1 })`,
  'postern/node': `entry.guard(postern, { public: true }, () => {}, { nonsense: 1 })`,
  'postern/http': `entry.readCredential({}, { nonsense: 1 })`,
  'postern/grpc': `entry.guard(postern, {}, { nonsense: 1 })`,
  'postern/zones': `entry.internalNetworks(['10.0.0.0/99'])`,
  'postern/stores/sqlite': `entry.sqliteStore({ filename: ':memory:', nonsense: 1 })`,
} as const;

it.each(Object.entries(REFUSALS))('%s refuses with the PosternError of the core', async (entry, refusal) => {
  const out = await runScript(
    full,
    'mjs',
    `import fastify from 'fastify';
     import { createPostern, memoryStore, PosternError } from 'postern';
     import * as entry from '${entry}';
     const postern = createPostern({ store: memoryStore() });
     try { ${refusal}; console.log('no refusal'); }
     catch (error) { console.log(error instanceof PosternError, error.code); }`,
  );
  expect(out.trim()).toMatch(/^true option_(unknown|invalid)$/);
});
