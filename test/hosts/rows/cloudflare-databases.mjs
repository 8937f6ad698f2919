import { passed } from '../lib/snippets.mjs';

export const host = 'D1 and Durable Objects';
export const how = 'in miniflare; the suite of stores over sqlStore';

/** Runs in a Durable Object. What it is asked comes as JSON: its database is reached from within only. */
const WORKER = `
import { DurableObject } from 'cloudflare:workers';
import { fromDurableObject } from 'postern/stores/sql';

export class Database extends DurableObject {
  async fetch(request) {
    const { method, argument } = await request.json();
    try {
      return Response.json({ value: await fromDurableObject(this.ctx.storage)[method](argument) });
    } catch (error) {
      return Response.json({ error: error.message });
    }
  }
}
export default { fetch: (request, env) => env.OBJECT.get(env.OBJECT.idFromName('one')).fetch(request) };
`;

const TEST = `
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after } from 'node:test';
import { Miniflare } from 'miniflare';
import { fromD1, sqlStore } from 'postern/stores/sql';
import { testStore } from 'postern/testing';

const miniflare = new Miniflare({
  modules: true,
  script: readFileSync('worker.mjs', 'utf8'),
  compatibilityDate: '2026-04-01',
  d1Databases: { D1: 'd1' },
  durableObjects: { OBJECT: { className: 'Database', useSQLite: true } },
});
after(() => miniflare.dispose());
const d1 = await miniflare.getD1Database('D1');
const call = (method) => async (argument) => {
  const body = JSON.stringify({ method, argument });
  const { value, error } = await (await miniflare.dispatchFetch('http://host/', { method: 'POST', body })).json();
  if (error !== undefined) throw new Error(error);
  return value;
};
const object = { dialect: 'sqlite', query: call('query'), batch: call('batch') };
const open = (driver) => sqlStore({ driver, prefix: 'p' + randomUUID().slice(0, 8) + '_', timeout: '1m' });

testStore('D1', () => open(fromD1(d1)));
testStore('a Durable Object', () => open(object));
`;

export async function run(context) {
  await context.write({ 'source.mjs': WORKER, 'a.test.mjs': TEST });
  const bundled = ['source.mjs', '--bundle', '--format=esm', '--external:cloudflare:workers', '--outfile=worker.mjs'];
  await context.run(context.bin('esbuild'), bundled);
  const { stdout } = await context.node(['--test', '--test-reporter=tap', 'a.test.mjs']);
  return [`${passed(stdout, /^# pass (\d+)$/m)} tests of testStore passed over both`];
}
