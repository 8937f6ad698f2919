import { randomBytes } from 'node:crypto';
import { bareTables } from '../lib/bare-tables.mjs';
import { databaseClients } from '../lib/database-clients.mjs';
import { micros, ratios, spread } from '../lib/figures.mjs';
import { again, measure, shuffled } from '../lib/measure.mjs';
import { load } from '../lib/postern.mjs';
import { createEndpoints, createTokens, freshStrings, prepared, SCOPE, warm } from '../lib/tokens.mjs';

const TOKENS = { quick: 500, full: 5_000 };
const MOST = { read: 1.5, write: 2.5 };

/** Through each driver: a cold verification and a new token, against an application that does both by itself. */
export async function run(settings) {
  const { createPostern } = await load('index');
  const [tables, goals] = [[], []];
  for (const client of await databaseClients()) {
    const postern = createPostern({ store: client.store, cache: false });
    settings.progress(`${client.name}: making tokens`);
    const cases = await casesOf(client, postern, settings.quick ? TOKENS.quick : TOKENS.full);
    const samples = await measure(Object.values(cases), settings);
    const of = ({ name }) => samples.get(name);
    const rows = [];
    for (const [kind, atMost] of Object.entries(MOST)) {
      const [ours, bare] = [cases[kind], cases[`${kind}Bare`]];
      const twins = [ratios(of(bare), of(cases[`${kind}Again`]))];
      const values = ratios(of(ours), of(bare));
      rows.push([ours.name, micros(of(ours)), spread(values, 'x')], [bare.name, micros(of(bare)), '']);
      goals.push({ goal: '14', what: `${client.name}: ${ours.name}, against bare`, atMost, unit: 'x', twins, values });
    }
    tables.push({ head: [client.name, 'a call', 'of bare'], rows });
    await postern.close();
    await client.close();
  }
  const notes = [
    'The bare read: a prepared SELECT of the needed columns by a unique key, out of one table.',
    'The bare write: BEGIN, a row of a token, a row of a log, COMMIT.',
  ];
  return { tables, notes, goals };
}

async function casesOf(client, postern, count) {
  await createEndpoints(postern);
  const tokens = shuffled(await createTokens(postern, count));
  const requirement = prepared(postern, SCOPE);
  await warm(postern, tokens.slice(0, 500), requirement);
  const bare = bareTables(client.dialect);
  for (const sql of bare.create) await client.define(sql);
  const digests = Array.from({ length: count }, () => randomBytes(32).toString('hex'));
  for (const digest of digests) await client.write(bare.write(digest));

  const [next, nextDigest] = [freshStrings(tokens), freshStrings(digests)];
  const read = {
    name: 'a cold verification',
    async: true,
    op: () => postern.authorize({ token: next(), zone: 'external', requirement }),
  };
  const readBare = { name: 'the bare read', async: true, op: () => client.run(bare.read(nextDigest())) };
  const write = {
    name: 'a new token',
    async: true,
    op: () => postern.tokens.create({ name: 'bench', types: { developer: { scopes: ['models:read'] } } }),
  };
  const writeBare = { name: 'the bare write', async: true, op: () => client.write(bare.write()) };
  return { read, readBare, readAgain: again(readBare), write, writeBare, writeAgain: again(writeBare) };
}
