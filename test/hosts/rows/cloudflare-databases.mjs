import { readFile } from 'node:fs/promises';
import { passed } from '../lib/snippets.mjs';
import { documentStores } from '../lib/stores.mjs';

export const host = 'D1 and Durable Objects';
export const how = 'in miniflare; the suite of stores over sqlStore, and the example of a Worker on D1';

const EXAMPLE = new URL('../../../examples/worker-d1/worker.ts', import.meta.url);

/** The drivers run in the worker, where the databases are. What they are asked comes as JSON. */
const WORKER = `
import { DurableObject } from 'cloudflare:workers';
import { fromD1, fromDurableObject } from 'postern/stores/sql';

async function answer(driver, request) {
  const { method, argument } = await request.json();
  try {
    return Response.json({ value: await driver[method](argument) });
  } catch (error) {
    return Response.json({ error: error.message });
  }
}
export class Database extends DurableObject {
  fetch(request) {
    return answer(fromDurableObject(this.ctx.storage), request);
  }
}
export default {
  fetch: (request, env) =>
    new URL(request.url).pathname === '/d1'
      ? answer(fromD1(env.D1), request)
      : env.OBJECT.get(env.OBJECT.idFromName('one')).fetch(request),
};
`;

const TEST = `
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after } from 'node:test';
import { Miniflare } from 'miniflare';
import { sqlStore } from 'postern/stores/sql';
import { testStore } from 'postern/testing';

const miniflare = new Miniflare({
  modules: true,
  script: readFileSync('worker.mjs', 'utf8'),
  compatibilityDate: '2026-04-01',
  d1Databases: { D1: 'd1' },
  durableObjects: { OBJECT: { className: 'Database', useSQLite: true } },
});
after(() => miniflare.dispose());
const call = (path, method) => async (argument) => {
  const body = JSON.stringify({ method, argument });
  const { value, error } = await (await miniflare.dispatchFetch('http://host' + path, { method: 'POST', body })).json();
  if (error !== undefined) throw new Error(error);
  return value;
};
const at = (path) => ({ dialect: 'sqlite', query: call(path, 'query'), batch: call(path, 'batch') });
const open = (driver) => sqlStore({ driver, prefix: 'p' + randomUUID().slice(0, 8) + '_', timeout: '1m' });

testStore('D1', () => open(at('/d1')));
testStore('a Durable Object', () => open(at('/object')));
`;

/** The example, as its users call it. */
const CALLS = `
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Miniflare } from 'miniflare';

const key = 'k'.repeat(32);
const open = (SETUP_KEY) => new Miniflare({
  modules: true,
  script: readFileSync('example.mjs', 'utf8'),
  compatibilityDate: '2026-04-01',
  d1Databases: { DB: 'd1' },
  bindings: { SETUP_KEY },
});
const miniflare = open(key);
const ask = async (method, path, bearer, body) => {
  const headers = bearer === undefined ? {} : { authorization: 'Bearer ' + bearer };
  const answer = await miniflare.dispatchFetch('http://host' + path, { method, headers, body });
  return [answer.status, await answer.text()];
};
assert.equal((await ask('POST', '/tokens', undefined, '{"name":"ci"}'))[0], 401);
assert.equal((await ask('POST', '/tokens', 'wrong', '{"name":"ci"}'))[0], 401);
assert.equal((await ask('POST', '/tokens', key, '{"name":""}'))[0], 400);
const [made, text] = await ask('POST', '/tokens', key, '{"name":"ci"}');
assert.equal(made, 201);
const { id, token } = JSON.parse(text);
assert.equal((await ask('GET', '/models'))[0], 401);
assert.deepEqual(await ask('GET', '/models', token), [200, '{"models":[],"calledBy":"you"}']);
assert.equal((await ask('DELETE', '/tokens/' + id, token))[0], 401);
assert.equal((await ask('DELETE', '/tokens/' + id, key))[0], 204);
assert.equal((await ask('GET', '/models', token))[0], 401);
await miniflare.dispose();

const unset = open('');
const headers = { authorization: 'Bearer ' };
assert.equal((await unset.dispatchFetch('http://host/tokens', { method: 'POST', headers, body: '{"name":"ci"}' })).status, 401);
await unset.dispose();
console.log('as expected');
`;

export async function run(context) {
  await context.write({ 'source.mjs': WORKER, 'a.test.mjs': TEST, 'calls.mjs': CALLS });
  await context.write({ 'example.ts': await readFile(EXAMPLE, 'utf8') });
  const bundled = ['source.mjs', '--bundle', '--format=esm', '--external:cloudflare:workers', '--outfile=worker.mjs'];
  await context.run(context.bin('esbuild'), bundled);
  await context.run(context.bin('esbuild'), ['example.ts', '--bundle', '--format=esm', '--outfile=example.mjs']);
  await context.node(['calls.mjs']);
  const { stdout } = await context.node(['--test', '--test-reporter=tap', 'a.test.mjs']);
  const rows = [
    ['Cloudflare D1', '`fromD1`', 'within `cache.ttl`'],
    ['Durable Objects', '`fromDurableObject`', 'within `cache.ttl`'],
  ];
  return [
    await documentStores(rows, passed(stdout, /^# pass (\d+)$/m)),
    'the Worker makes a token, lets it through, and refuses it once it is revoked',
  ];
}
