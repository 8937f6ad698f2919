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

/** Nodes before 20.19 and 22.12 can not `require` an ES module, and neither can Jest. */
const WITHOUT_REQUIRE_OF_ESM = ['--no-experimental-require-module'];

interface Imported {
  readonly url: string;
  readonly names: readonly string[];
}

interface Required {
  readonly names: readonly string[];
  /** The files that it loads. */
  readonly files: readonly string[];
  /** The names that an ES module finds in the CommonJS file. */
  readonly found: readonly string[];
}

const listOf = (rows: readonly { readonly entry: string }[]) => JSON.stringify(rows.map(({ entry }) => entry));

/** All entries in one process, and each pair of modules of which the first imports the second. */
async function importAll(): Promise<{ entries: Record<string, Imported>; edges: [string, string][] }> {
  await writeFile(join(full, 'hooks.mjs'), HOOKS);
  await writeFile(
    join(full, 'trace.mjs'),
    `import { register } from 'node:module';\nregister('./hooks.mjs', import.meta.url);\n`,
  );
  const trace = join(full, 'imports.trace');
  const out = await runScript(
    full,
    'mjs',
    `const seen = {};
     for (const entry of ${listOf(ENTRIES)}) {
       seen[entry] = { url: import.meta.resolve(entry), names: Object.keys(await import(entry)) };
     }
     console.log(JSON.stringify(seen));`,
    { flags: ['--import', './trace.mjs'], env: { TRACE: trace } },
  );
  const lines = (await readFile(trace, 'utf8')).trim().split('\n');
  await rm(trace);
  return { entries: JSON.parse(out), edges: lines.map((line) => JSON.parse(line)) };
}

/** The entries in one process. The cache is emptied, so each is required as if it were the first. */
async function requireAll(
  rows: (typeof ENTRIES)[number][],
  flags: readonly string[],
): Promise<Record<string, Required>> {
  const out = await runScript(
    full,
    'cjs',
    `(async () => {
       const seen = {};
       for (const entry of ${listOf(rows)}) {
         for (const file of Object.keys(require.cache)) delete require.cache[file];
         const names = Object.keys(require(entry)).sort();
         const files = Object.keys(require.cache);
         seen[entry] = { names, files, found: Object.keys(await import(require.resolve(entry))) };
       }
       console.log(JSON.stringify(seen));
     })();`,
    { flags },
  );
  return JSON.parse(out);
}

/** Where no peer is installed: each in a thread of its own, which has nothing loaded. */
async function importAlone(): Promise<Record<string, string>> {
  const out = await runScript(
    alone,
    'mjs',
    `import { once } from 'node:events';
     import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
     const load = (entry) => import(entry).then(() => 'loaded', (error) => error.code + ' ' + error.message);
     if (!isMainThread) parentPort.postMessage(await load(workerData));
     else {
       const seen = {};
       for (const entry of ${listOf(ENTRIES)}) {
         const worker = new Worker(new URL(import.meta.url), { workerData: entry });
         [seen[entry]] = await once(worker, 'message');
       }
       console.log(JSON.stringify(seen));
     }`,
  );
  return JSON.parse(out);
}

function packageOf(path: string): string {
  return /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? '';
}

function peersOf(row: (typeof ENTRIES)[number]): readonly string[] {
  return [...('peer' in row ? [row.peer] : []), ...('also' in row ? row.also : [])];
}

let imported: Awaited<ReturnType<typeof importAll>>;
let required: Record<string, Required>;
let withoutPeers: Record<string, string>;

beforeAll(async () => {
  imported = await importAll();
  required = {
    ...(await requireAll(
      ENTRIES.filter((row) => !('peerIsEsm' in row)),
      WITHOUT_REQUIRE_OF_ESM,
    )),
    ...(await requireAll(
      ENTRIES.filter((row) => 'peerIsEsm' in row),
      [],
    )),
  };
  withoutPeers = await importAlone();
});

/** The modules that an entry's own module leads to, it first. */
function reachedFrom(url: string): string[] {
  const reached = new Set([url]);
  for (const each of reached) for (const [from, to] of imported.edges) if (from === each) reached.add(to);
  return [...reached];
}

/** What the package's own files ask for when an entry is imported: names of packages and of Node's modules. */
function loadedBy(entry: string): { packages: string[]; builtins: string[]; all: string[] } {
  const reached = reachedFrom(imported.entries[entry]?.url ?? '');
  const own = new Set(reached.filter((url) => packageOf(url) === 'postern'));
  const asked = imported.edges.flatMap(([from, to]) => (own.has(from) && !own.has(to) ? [to] : []));
  const distinct = (names: string[]) => [...new Set(names)].toSorted();
  return {
    packages: distinct(asked.filter((url) => !url.startsWith('node:')).map(packageOf)),
    builtins: distinct(asked.filter((url) => url.startsWith('node:'))),
    all: distinct(reached.map(packageOf)).filter((name) => name !== ''),
  };
}

describe.each(ENTRIES)('$entry', (row) => {
  const { entry, node } = row;

  it('is imported by an ES module', () => {
    const { names = [] } = imported.entries[entry] ?? {};
    expect(names.length === 0).toBe('types' in row);
    expect(names).not.toContain('default');
  });

  it('is required by a CommonJS file, with the same names, where no ES module can be', () => {
    const { names, files = [] } = required[entry] ?? {};
    expect(names).toEqual(imported.entries[entry]?.names.toSorted());
    const others = files.filter((file) => !file.includes('/node_modules/postern/dist/'));
    expect(files.length - others.length).toBeGreaterThan(0);
    // A peer brings its own packages along.
    if (peersOf(row).length === 0) expect(others).toEqual([]);
  });

  it('is imported by its names out of the CommonJS file', () => {
    expect(required[entry]?.found).toEqual(expect.arrayContaining([...(imported.entries[entry]?.names ?? [])]));
  });

  it('loads no peer, and Node only where Node is', () => {
    const { packages, builtins } = loadedBy(entry);
    expect(packages.filter((name) => ![...DEPENDENCIES, ...peersOf(row)].includes(name))).toEqual([]);
    if (!node) expect(builtins).toEqual([]);
  });

  it('loads where no peer is installed', () => {
    // An entry over classes of its host needs the host: Node names it.
    expect(withoutPeers[entry]).toContain('peer' in row ? `'${row.peer}'` : 'loaded');
  });
});

/** The first call that needs a package which is not installed. */
const MISSING = {
  'rate-limiter-flexible': `import { redisRateLimiter } from 'postern/limits';
    await redisRateLimiter({ client: {} }).consume('x', { points: 1, duration: 1_000 }, 0);`,
  pg: `import { postgresStore } from 'postern/stores/postgres';
    await postgresStore({ connectionString: 'postgres://localhost/x' }).findToken('x');`,
  mysql2: `import { mysqlStore } from 'postern/stores/mysql';
    await mysqlStore({ uri: 'mysql://localhost/x' }).findToken('x');`,
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

it('a process that verifies API tokens loads neither jose nor the whole of zod', () => {
  const { all } = loadedBy('postern');
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

it('each entry refuses with the PosternError of the core', async () => {
  const attempts = Object.entries(REFUSALS).map(
    ([name, refusal]) => `await attempt('${name}', async (entry) => { ${refusal}; });`,
  );
  const out = await runScript(
    full,
    'mjs',
    `import fastify from 'fastify';
     import { createPostern, memoryStore, PosternError } from 'postern';
     const postern = createPostern({ store: memoryStore() });
     const seen = {};
     async function attempt(name, refused) {
       const entry = await import(name);
       seen[name] = await refused(entry).then(() => 'no refusal', (error) => \`\${error instanceof PosternError} \${error.code}\`);
     }
     ${attempts.join('\n')}
     console.log(JSON.stringify(seen));`,
  );
  const each = Object.keys(REFUSALS).map((name) => [name, expect.stringMatching(/^true option_(unknown|invalid)$/)]);
  expect(JSON.parse(out)).toEqual(Object.fromEntries(each));
});
