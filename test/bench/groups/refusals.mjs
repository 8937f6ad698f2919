import { randomBytes } from 'node:crypto';
import { countingStore } from '../lib/counting-store.mjs';
import { figure, ratios, spread } from '../lib/figures.mjs';
import { makeJwts } from '../lib/jwts.mjs';
import { again, measure } from '../lib/measure.mjs';
import { load, loadInternals } from '../lib/postern.mjs';
import { createEndpoints, createTokens, ENDPOINT, HOT, prepared, SCOPE, warm } from '../lib/tokens.mjs';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LONGEST = 8_192;
const POOL_BYTES = 131_072;

const random = (length) => Array.from(randomBytes(length), (byte) => ALPHABET[byte % 62]).join('');
const bearer = (token) => `Bearer ${token}`;

/** Each kind of garbage: how its header is made, and how it must be refused. */
function kinds(tokens) {
  const { tokens: jwts } = makeJwts('RS256', HOT);
  const swapped = (token) => token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
  const mistyped = (token) => token.slice(0, 20) + (token[20] === '0' ? '1' : '0') + token.slice(21);
  return {
    'wrong form: another length': [() => bearer(`pst_${random(40)}`), 'token_unknown'],
    'wrong form: another prefix': [() => bearer(`abc_${random(49)}`), 'token_unknown'],
    'wrong form: a stray character at the end': [() => bearer(`pst_${random(48)}-`), 'token_unknown'],
    'wrong checksum, random': [() => bearer(`pst_${random(43)}zzzzzz`), 'token_unknown'],
    'wrong checksum, a real token': [(i) => bearer(swapped(tokens[i])), 'token_unknown'],
    'wrong checksum, the end of a real token': [(i) => bearer(mistyped(tokens[i])), 'token_unknown'],
    'a foreign JWT': [(i) => bearer(jwts[i]), 'token_unknown'],
    'another scheme': [() => `Basic ${random(40)}`, 'token_missing'],
    '8 KiB of letters': [() => bearer(random(LONGEST)), 'token_unknown'],
    'over 8 KiB of letters': [() => bearer(random(LONGEST + 1)), 'token_malformed'],
    '8 KiB of commas': [() => bearer(','.repeat(LONGEST)), 'token_malformed'],
    '8 KiB of spaces before a token': [() => bearer(`${' '.repeat(LONGEST - 1)}x`), 'token_malformed'],
    '8 KiB with a space at the end': [() => bearer(`${random(LONGEST - 2)} x`), 'token_malformed'],
    '8 KiB that is no scheme': [() => random(LONGEST), 'token_missing'],
    '8 KiB of commas that are no scheme': [() => `x${', '.repeat(LONGEST / 2)}`, 'token_missing'],
  };
}

export async function run(settings) {
  settings.progress('making garbage');
  const { createPostern, memoryStore } = await load('index');
  const { readBearer } = await loadInternals(`export { readBearer } from './src/transports/credential.ts';`);
  const { store, counts } = countingStore(memoryStore());
  const postern = createPostern({ store, cache: { ttl: '1h' } });
  await createEndpoints(postern);
  const tokens = await createTokens(postern, HOT);
  await warm(postern, tokens, ENDPOINT);
  // Found in the cache once: from then on the end of each is known.
  for (const token of tokens) await postern.authorize({ token, zone: 'external', requirement: ENDPOINT });
  const scope = prepared(postern, SCOPE);
  const endpoint = prepared(postern, ENDPOINT);
  const ask = (requirement) => (header) =>
    postern.tryAuthorize({ ...readBearer(header, false), zone: 'external', requirement });

  const cases = Object.entries(kinds(tokens)).map(([name, [make, reason]]) => {
    // Strings that are there already: in a refusal nothing hashes them, and a fresh 8 KiB would cost more than its refusal.
    // As many as the processor's cache holds, because what comes from a socket is there.
    const size = Math.min(HOT, Math.floor(POOL_BYTES / make(0).length));
    const pool = Array.from({ length: size }, (_, i) => Buffer.from(make(i)).latin1Slice());
    const refuse = ask(scope);
    for (const header of pool) {
      for (const decision of [refuse(header), ask(endpoint)(header)]) {
        if (decision?.reason !== reason) throw new Error(`${name}: ${JSON.stringify(decision)}, not ${reason}`);
      }
    }
    return { name, op: (i) => refuse(pool[i % size]) };
  });
  const twins = [cases[0], cases[4]];
  const reads = { ...counts };
  const samples = await measure([...cases, ...twins.map(again)], settings);
  const storeReads = counts.reads - reads.reads;
  const perSecond = ({ name }) => samples.get(name).map((nanoseconds) => 1e9 / nanoseconds);
  const noise = twins.map((one) => ratios(perSecond(one), perSecond(again(one))));
  return {
    tables: [
      {
        head: ['refused', 'a second, on one core'],
        rows: [...cases, ...twins.map(again)].map((one) => [one.name, spread(perSecond(one))]),
      },
    ],
    notes: [
      `Header to decision (readBearer, then tryAuthorize). Store reads in all of them: ${figure(storeReads)}.`,
      'These are absolute figures of this machine, not ratios: they hold for a core like this one.',
    ],
    goals: [
      { goal: '11', what: 'store reads for garbage', atMost: 0, values: [storeReads] },
      ...cases.map((one) => ({
        goal: '11',
        what: `refusals a second: ${one.name}`,
        atLeast: 2_500_000,
        stretch: 5_000_000,
        twins: noise,
        values: perSecond(one),
      })),
    ],
  };
}
