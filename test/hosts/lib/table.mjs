import { cp } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { arch } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const TEST = fileURLToPath(new URL('../..', import.meta.url));

/** The columns of the table in docs/hosts.md: the servers whose cases must all be answered as promised. */
const COLUMNS = {
  'node:http': ['node', 'http', 'http with fetch'],
  upgrades: ['node upgrade'],
  'Express 5': ['express 5'],
  'Express 4': ['express 4'],
  Fastify: ['fastify'],
  NestJS: ['nestjs', 'nestjs on fastify'],
  Hono: ['hono'],
  fetch: ['fetch'],
};

/** The path of a program that an optional package of this machine's architecture carries. */
export function binaryOf(context, packages, path) {
  const name = packages[arch];
  if (name === undefined) throw new Error(`there is no such runtime for ${arch} in the package.json of the hosts`);
  return join(context.modules, name, path);
}

export function versionOf(context, packages) {
  return createRequire(import.meta.url)(join(context.modules, packages[arch], 'package.json')).version.replace(
    /^v/,
    '',
  );
}

/**
 * Copies the shared table of cases into the row's folder, so that it uses the packed package, and bundles programs of it.
 *
 * @param whole whether packages become part of the bundle
 */
export async function bundle(context, entry, whole) {
  const { build } = createRequire(join(context.modules, 'x.js'))('esbuild');
  for (const folder of ['transports', 'hosts/table']) {
    await cp(join(TEST, folder), join(context.folder, 'test', folder), { recursive: true });
  }
  await context.write({ 'tsconfig.json': { compilerOptions: { experimentalDecorators: true } } });
  const outfile = join(context.folder, `${entry}.mjs`);
  await build({
    entryPoints: [join(context.folder, `test/hosts/table/${entry}.ts`)],
    outfile,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    ...(whole ? { external: ['node:*'], conditions: ['workerd'] } : { packages: 'external' }),
    logLevel: 'silent',
  });
  return outfile;
}

/** The table of Node, Bun or Deno: `program` and `args` run a file of JavaScript. */
export async function runTable(context, program, args = []) {
  const { judge, commandTo } = await clientOf(context);
  const file = await bundle(context, 'server', false);
  const { match } = await context.start(program, [...args, file, join(context.folder, 'a.db')], { until: /^\{.*\}$/m });
  const { control, servers, sqlite } = JSON.parse(match[0]);
  const command = commandTo(control);
  const judged = {};
  for (const [name, server] of Object.entries(servers)) {
    judged[name] = typeof server === 'string' ? server : await judge(name, server, command);
  }
  if (sqlite !== 'allowed, token_revoked') throw new Error(`SQLite: ${sqlite}`);
  await assertSigned(context, command);
  return { ...columnsOf(judged), SQLite: 'yes', 'signed tokens': 'yes' };
}

/** The part of the table that asks and judges: it runs in this process. */
export async function clientOf(context) {
  return import(pathToFileURL(await bundle(context, 'client', false)).href);
}

function columnsOf(judged) {
  const natives = Object.keys(judged).filter((name) => /^\w+\.serve$/.test(name));
  const own = { fetch: natives, Hono: natives.map((name) => `Hono on ${name}`) };
  const columns = Object.entries(COLUMNS).map(([column, servers]) => {
    const names = [...servers, ...(own[column] ?? [])];
    return [column, cellOf(names.map((name) => judged[name]))];
  });
  return Object.fromEntries(columns);
}

export function cellOf(results) {
  const failed = new Set();
  for (const result of results) {
    if (typeof result === 'string') return `no: ${result}`;
    for (const name of result.keys()) failed.add(name);
  }
  return failed.size === 0 ? 'yes' : `all but: ${[...failed].join(', ')}`;
}

/** An issuer in this process, and a verifier in the runtime that knows only the address of its keys. */
export async function assertSigned(context, command) {
  const { jwks, token } = await startIssuer(context);
  const seen = JSON.stringify(await command(`/-/signed?${new URLSearchParams({ jwks, token })}`));
  const promised = JSON.stringify({
    allowed: 200,
    wrongScope: 403,
    broken: 401,
    derived: 200,
    derivedWrongScope: 403,
  });
  if (seen !== promised) throw new Error(`signed tokens: ${seen}, not ${promised}`);
}

async function startIssuer(context) {
  const load = (entry) => import(join(context.modules, 'postern/dist', entry));
  const [{ createPostern, memoryStore }, { accessTokens }] = await Promise.all([load('index.js'), load('jwt.js')]);
  const signed = accessTokens({
    issuer: 'https://auth.example',
    audience: 'https://api.example',
    encryptionKey: crypto.getRandomValues(new Uint8Array(32)),
  });
  const postern = createPostern({ store: memoryStore(), authenticators: [signed] });
  const { token } = await postern.tokens.create({ name: 'a', types: { developer: { scopes: ['models:write'] } } });
  const { accessToken } = await signed.exchange(postern, token, { scopes: ['models:read'] });
  const server = createServer(async (_, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(await signed.jwks()));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.onEnd(async () => {
    server.closeAllConnections();
    server.close();
    await postern.close();
  });
  return { jwks: `http://127.0.0.1:${server.address().port}/jwks.json`, token: accessToken };
}
