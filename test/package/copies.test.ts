import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { runScript } from './run.js';

const { full } = inject('installed');

let seen: Record<string, unknown>;

const BUNDLE = join(full, 'bundle.mjs');

/** A bundle beside `node_modules`, as a framework's own build makes one. */
beforeAll(async () => {
  const entries = ['postern', 'postern/management', 'postern/jwt', 'postern/express', 'postern/fetch', 'postern/otel'];
  const names = ['core', 'management', 'jwt', 'express', 'fetch', 'otel'];
  await build({
    stdin: {
      contents: entries.map((entry, i) => `export * as ${names[i]} from '${entry}';`).join('\n'),
      resolveDir: full,
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile: BUNDLE,
  });
  seen = JSON.parse(await runScript(full, 'mjs', SCRIPT));
});
afterAll(() => rm(BUNDLE));

/** Three copies of the package in one process. */
const COPIES = `
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const load = async (get) => ({
  core: await get('postern'), management: await get('postern/management'), jwt: await get('postern/jwt'),
  express: await get('postern/express'), fetch: await get('postern/fetch'), otel: await get('postern/otel'),
});
const copies = {
  esm: await load((name) => import(name)),
  cjs: await load((name) => require(name)),
  bundle: await import('./bundle.mjs'),
};
`;

const PAIRS = ['esm', 'cjs', 'bundle'].flatMap((one) =>
  ['esm', 'cjs', 'bundle'].filter((other) => other !== one).map((other) => [one, other] as const),
);

const SCRIPT = `${COPIES}
async function seenBy(mine, other) {
  const { core, jwt } = mine;
  const seen = { apart: core.createPostern !== other.core.createPostern };
  const signed = other.jwt.accessTokens({
    issuer: 'https://auth.example', audience: 'https://api.example',
    keys: await other.jwt.generateKeys({ alg: 'EdDSA' }),
  });
  const postern = core.createPostern({ store: core.memoryStore(), authenticators: [signed], onEvent() {} });
  const types = { developer: { scopes: ['models:read', 'iam:write'] } };
  const { token } = await postern.tokens.create({ name: 'x', owner: 'ann', types });

  const ask = (handler, path, bearer) =>
    handler(new Request('http://x' + path, { headers: { authorization: 'Bearer ' + bearer } }));
  const guarded = other.fetch.guard(postern, { scope: 'models:read' }, (_, { principal }) => Response.json(principal));
  seen.guard = [(await ask(guarded, '/', token)).status, (await ask(guarded, '/', 'no')).status];
  seen.management = (await ask(other.management.managementApi(postern), '/api/v1/api_tokens', token)).status;

  const { accessToken } = await signed.exchange(postern, token, { scopes: ['models:read'] });
  seen.exchanged = (await postern.authorize({ token: accessToken, requirement: { scope: 'models:read' } })).allowed;

  // An instance of the other copy, on another store: who a principal is does not depend on the copy.
  const elsewhere = other.core.createPostern({ store: other.core.memoryStore(), onEvent() {} });
  const code = (work) => work.then(() => 'done', (error) => [core, other.core].map((each) => each.isPosternError(error) && error.code).join());
  const narrow = await jwt.derive(token, { scopes: ['models:read'], expiresIn: '5m' });
  const derived = (await postern.authenticate(narrow)).principal;
  seen.derived = await code(elsewhere.as(derived).tokens.create({ name: 'y', types: { developer: { scopes: ['models:read'] } } }));
  try { other.core.createPostern(postern); } catch (error) { seen.error = core.isPosternError(error) && error.code; }

  let charged = 0;
  const limited = core.createPostern({
    store: core.memoryStore(), onEvent() {},
    rateLimiter: { consume: async () => { charged++; return { allowed: true, remaining: 1, resetIn: 1 }; }, peek: async () => null },
  });
  const { token: counted } = await limited.tokens.create({ name: 'x', types, rateLimit: { points: 9, duration: '1m' } });
  const inner = other.fetch.guard(limited, { scope: 'models:read' }, () => new Response('ok'));
  const outer = mine.fetch.guard(limited, { scope: 'models:read' }, (request) => inner(request));
  seen.charged = [(await ask(outer, '/', counted)).status, charged];

  // Telemetry of one copy, for the instance of another. A second is refused while it runs.
  let observed = 0;
  const meter = { createCounter: () => ({ add: () => observed++ }), createHistogram: () => ({ record() {} }) };
  const gauge = () => ({ addCallback() {}, removeCallback() {} });
  const meterProvider = { getMeter: () => ({ ...meter, createObservableGauge: gauge, createObservableUpDownCounter: gauge }) };
  const { close } = other.otel.instrument(postern, { meterProvider });
  try { mine.otel.instrument(postern, { meterProvider }); } catch (error) { seen.twice = error.code; }
  await ask(guarded, '/', token);
  close();
  const before = observed;
  await ask(guarded, '/', token);
  seen.observed = [before > 0, observed === before];
  return seen;
}
const seen = {};
for (const [one, other] of ${JSON.stringify(PAIRS)}) seen[one + ' ' + other] = await seenBy(copies[one], copies[other]);
console.log(JSON.stringify(seen));
process.exit();`;

describe.each(PAIRS)('what the copy %s made, the copy %s takes', (one, other) => {
  it('instances, guards, management, exchanges, principals, errors', () => {
    expect(seen[`${one} ${other}`]).toEqual({
      apart: true,
      guard: [200, 401],
      management: 200,
      exchanged: true,
      derived: 'issuance_forbidden,issuance_forbidden',
      error: 'option_invalid',
      charged: [200, 1],
      twice: 'input_invalid',
      observed: [true, true],
    });
  });
});
