import { randomBytes } from 'node:crypto';
import { databaseClients } from '../lib/database-clients.mjs';
import { micros, ratios, spread } from '../lib/figures.mjs';
import { again, measure, shuffled } from '../lib/measure.mjs';
import { load } from '../lib/postern.mjs';
import { createEndpoints, createTokens, freshStrings, prepared, SCOPE } from '../lib/tokens.mjs';

const TOKENS = { quick: 500, full: 5_000 };
const MOST = { read: 1.5, write: 2.5 };

/** Through each driver: a cold verification and a new token, against the bare client with the very statements that postern sends. */
export async function run(settings) {
  const { createPostern } = await load('index');
  const clients = await databaseClients(await load('stores/sql'));
  const { sqlStore } = await load('stores/sql');
  const [tables, goals] = [[], []];
  for (const client of clients) {
    const { driver, heard } = listening(client.driver);
    const store = sqlStore({ driver, pollInterval: false, ...client.place });
    const postern = createPostern({ store, cache: false });
    settings.progress(`${client.name}: making tokens`);
    await createEndpoints(postern);
    const tokens = shuffled(await createTokens(postern, settings.quick ? TOKENS.quick : TOKENS.full));
    const cases = await casesOf(client, postern, tokens, heard);
    const samples = await measure(Object.values(cases), settings);
    const of = ({ name }) => samples.get(name);
    const rows = [];
    for (const [kind, atMost] of Object.entries(MOST)) {
      const [ours, bare] = [cases[kind], cases[`${kind}Bare`]];
      const twins = [ratios(of(bare), of(cases[`${kind}Again`]))];
      const values = ratios(of(ours), of(bare));
      rows.push([ours.name, micros(of(ours)), spread(values, 'x')], [bare.name, micros(of(bare)), '']);
      goals.push({
        goal: '14',
        what: `${client.name}: ${ours.name}, against the bare client`,
        atMost,
        unit: 'x',
        twins,
        values,
      });
    }
    tables.push({ head: [client.name, 'a call', 'of the bare client'], rows });
    await postern.close();
    await client.close();
  }
  return { tables, notes: ['The bare client runs the same statements with other values.'], goals };
}

/** A driver that keeps what it was last asked. */
function listening(driver) {
  const heard = { query: null, batch: null };
  const keeping = (method) => (asked) => {
    heard[method] = asked;
    return driver[method](asked);
  };
  return { driver: { ...driver, query: keeping('query'), batch: keeping('batch') }, heard };
}

async function casesOf(client, postern, tokens, heard) {
  const requirement = prepared(postern, SCOPE);
  const next = freshStrings(tokens);
  const verify = () => postern.authorize({ token: next(), zone: 'external', requirement });
  const make = () => postern.tokens.create({ name: 'bench', types: { developer: { scopes: ['models:read'] } } });
  const digests = [];
  for (const _ of tokens.slice(0, 500)) {
    if (!(await verify()).allowed) throw new Error('a token of the benchmark is refused');
    digests.push(heard.query.parameters[0]);
  }
  const statement = heard.query;
  const nextDigest = freshStrings(digests);
  const { record } = await make();
  const written = heard.batch;
  // What must differ from one write to the next: ids and digests, wherever they stand.
  const names = new Set(written.flatMap(({ parameters }) => parameters.filter(isName)).concat(record.id));
  const renamed = () => {
    const other = new Map([...names].map((name) => [name, `${randomBytes(20).toString('hex')}`]));
    return written.map((each) => ({ ...each, parameters: each.parameters.map((value) => other.get(value) ?? value) }));
  };
  const read = { name: 'a cold verification', async: true, op: verify };
  const readBare = {
    name: 'the bare read',
    async: true,
    op: () => client.read({ ...statement, parameters: [nextDigest()] }),
  };
  const write = { name: 'a new token', async: true, op: make };
  const writeBare = { name: 'the bare write', async: true, op: () => client.write(renamed()) };
  return { read, readBare, readAgain: again(readBare), write, writeBare, writeAgain: again(writeBare) };
}

/** An id or a digest: long, and of letters and digits only. */
function isName(value) {
  return typeof value === 'string' && /^[\w-]{20,}$/.test(value);
}
