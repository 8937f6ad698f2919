import { setImmediate as nextTurn } from 'node:timers/promises';
import { figure } from '../lib/figures.mjs';
import { load, loadInternals } from '../lib/postern.mjs';
import { createEndpoints, createTokens, GRANTS, prepared, SCOPE } from '../lib/tokens.mjs';

const CACHED = 100_000;
const FIRST = 100;

/** Needs `--expose-gc`. */
export async function run(settings) {
  const { createPostern, memoryStore } = await load('index');
  const { formatToken } = await loadInternals(`export { formatToken } from './src/domain/token-format.ts';`);
  const templates = await templateRows(createPostern, memoryStore);
  let rows = 0;
  let written = 0;
  let usageWritten;
  const flushed = new Promise((resolve) => {
    usageWritten = resolve;
  });
  const store = {
    ...memoryStore(),
    // Rows as a database gives them: new objects and new strings each time, none of which the store keeps.
    findTokenByDigest: async ([digest]) => {
      const { token, secret } = templates[rows % templates.length];
      const number = rows++;
      const fresh = JSON.parse(JSON.stringify(token));
      const id = Buffer.from(String(number).padStart(22, 'x')).latin1Slice();
      return { token: { ...fresh, id, owner: `owner-${number}` }, secret: { ...secret, digest } };
    },
    // In batches, each of which was handed over whole.
    recordUsage: async (usages) => {
      written += usages.length;
      if (written >= CACHED) usageWritten();
    },
  };
  const postern = createPostern({ store, cache: { ttl: '1h', maxTokens: CACHED } });
  const requirement = prepared(postern, SCOPE);
  const bytes = Buffer.alloc(32);
  const tokenOf = (number) => {
    bytes.writeUInt32BE(number, 28);
    return formatToken('pst', bytes);
  };
  const verify = async (from, to) => {
    for (let number = from; number < to; number++) {
      const decision = await postern.authorize({ token: tokenOf(number), requirement });
      if (!decision.allowed) throw new Error(`refused: ${decision.reason}`);
    }
  };

  // What the first calls make (code, interned grants) is no part of what a cached token takes.
  await verify(0, FIRST);
  const before = heap();
  settings.progress(`verifying ${figure(CACHED)} tokens`);
  await verify(0, CACHED);
  const waiting = heap();
  settings.progress('waiting for the uses to be written');
  // Keeps the process alive: the timer of the flush does not.
  const alive = setInterval(() => {}, 1_000);
  await flushed;
  // The batch that was handed over is still held by the call that wrote it.
  await nextTurn();
  clearInterval(alive);
  const after = heap();
  const read = rows;
  for (const number of [CACHED - 1, Math.floor(CACHED / 2), 0]) {
    if (postern.tryAuthorize({ token: tokenOf(number), requirement })?.allowed !== true) {
      throw new Error(`token ${number} is no longer cached: the figure would be of fewer tokens`);
    }
  }
  const mb = (bytes) => bytes / 1e6;
  const rowsOfTable = [
    ['with every use still to be written', waiting - before],
    ['once the uses are written', after - before],
  ].map(([name, bytes]) => [name, figure(mb(bytes), ' MB'), figure(bytes / (CACHED - FIRST), ' bytes')]);
  return {
    tables: [{ head: [`${figure(CACHED)} cached tokens`, 'heapUsed', 'a token'], rows: rowsOfTable }],
    notes: [
      `${GRANTS.length} distinct grants, an owner each, no store in the heap; ${figure(read)} rows were read. 1 MB is 1,000,000 bytes.`,
    ],
    goals: [
      {
        goal: '13',
        what: 'heap of 100,000 cached tokens, uses written',
        atMost: 45,
        stretch: 32,
        unit: ' MB',
        values: [mb(after - before)],
      },
      {
        goal: '13',
        what: 'heap of 100,000 cached tokens, uses waiting',
        atMost: 45,
        stretch: 32,
        unit: ' MB',
        values: [mb(waiting - before)],
      },
    ],
  };
}

function heap() {
  for (let i = 0; i < 4; i++) globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/** One row of each grant, as postern wrote it. */
async function templateRows(createPostern, memoryStore) {
  const rows = [];
  const store = memoryStore();
  const insertTokens = (tokens) => {
    for (const { token, secret } of tokens) rows.push({ token, secret });
    return store.insertTokens(tokens);
  };
  const postern = createPostern({ store: { ...store, insertTokens } });
  await createEndpoints(postern);
  await createTokens(postern, GRANTS.length);
  await postern.close();
  return rows;
}
