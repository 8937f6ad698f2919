import { fill } from './lib/fill.js';
import { median, shuffled } from './lib/numbers.js';
import { openPlace } from './lib/places.js';
import { Report } from './lib/report.js';
import { openPostern, type StoreName } from './lib/stores.js';

/**
 * What a verification that has to read the store costs, by how many tokens are in there. The goal: at most 1.2
 * times what it costs with a thousand.
 *
 * node --import tsx test/figures/lookups.ts [tokens in the largest store] [rounds]
 */
const LARGEST = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = Number(process.argv[3] ?? 9);
const SIZES = [1_000, 100_000, 1_000_000].filter((size) => size <= LARGEST);
const LOOKUPS = 2_000;
const KNOWN = 20_000;
const GOAL = 1.2;

const report = new Report(`Lookups with cache: false, ${SIZES.join(', ')} tokens, ${ROUNDS} rounds`, 1_800);
const rows: (string | number)[][] = [['store', 'tokens', 'us a lookup', 'min', 'max', 'against 1,000', 'min', 'max']];
const goals: (() => void)[] = [];
let wrong = 0;

for (const name of ['sqlite', 'postgres', 'redis'] as const) await measure(name);

report.table(rows);
for (const say of goals) say();
report.zero('lookups with a wrong answer', wrong);
report.end();

/** A filled store, and the figure of each round. */
interface Filled {
  readonly label: string;
  readonly size: number;
  readonly postern: ReturnType<typeof openPostern>;
  readonly tokens: readonly string[];
  readonly figures: number[];
}

async function measure(name: StoreName): Promise<void> {
  const place = await openPlace(name);
  try {
    const stores: Filled[] = [];
    for (const size of SIZES) stores.push(await filled(name, size, await place.address(size)));
    const [least] = stores as [Filled];
    // The same once more: how far two equal things differ is how far the other figures can be trusted.
    const all = [...stores, { ...least, label: '1000 again (A/A)', figures: [] }];
    for (let round = 0; round <= ROUNDS; round++) {
      for (const each of shuffled(all)) {
        const figure = await visit(each);
        // Of the first round the code was not compiled yet.
        if (round > 0) each.figures.push(figure);
      }
      if (round % 3 === 0) report.progress(`${name}: round ${round} of ${ROUNDS}`);
    }
    for (const { label, figures } of all) {
      const growth = figures.map((figure, round) => figure / (least.figures[round] as number));
      const shown = [median(figures), Math.min(...figures), Math.max(...figures)];
      rows.push([name, label, ...shown, median(growth), Math.min(...growth), Math.max(...growth)]);
      if (stores.some((store) => store.label === label)) {
        if (label !== least.label)
          goals.push(() => report.goal(`growth on ${name}, ${label}`, median(growth), GOAL, 'x'));
      } else {
        goals.push(() => report.resolution(`A/A on ${name}`, median(growth)));
      }
    }
    for (const { postern } of stores) await postern.close();
  } finally {
    await place.dispose();
  }
}

async function filled(name: StoreName, size: number, address: string): Promise<Filled> {
  let said = 0;
  const tokens = await fill(name, address, size, KNOWN, (done) => {
    if (done - said < 250_000) return;
    said = done;
    report.progress(`${name}: ${done} of ${size} tokens written`);
  });
  const postern = openPostern(name, address, { cache: false });
  await tryOut(postern, tokens);
  // As in a server that has run for a while: what is looked up is in the memory of the machine.
  for (const token of tokens) if (!(await postern.authenticate(token)).ok) wrong++;
  report.progress(`${name}: ${size} tokens are there`);
  return { label: String(size), size, postern, tokens, figures: [] };
}

/** What was written past the store must be to it what it writes itself: read, listed, changed, ended. */
async function tryOut(postern: Filled['postern'], tokens: readonly string[]): Promise<void> {
  const ended = tokens.at(-1) as string;
  const answer = await postern.authenticate(ended);
  if (!answer.ok) throw new Error(`a token that was filled in does not work: ${answer.reason}`);
  const id = answer.principal.tokenId;
  const record = await postern.tokens.get(id);
  if (record?.id !== id || !ended.startsWith(record.hint.slice(0, record.hint.indexOf('…'))))
    throw new Error('a record is not its own');
  const { items } = await postern.tokens.list({ limit: 100 });
  const { items: changes } = await postern.audit.list({ subject: id });
  if (items.length !== 100 || changes[0]?.type !== 'token.created') throw new Error('something is not listed');
  await postern.tokens.revoke(id);
  const after = await postern.authenticate(ended);
  if (after.ok || after.reason !== 'token_revoked') throw new Error('a token that was filled in can not be revoked');
  (tokens as string[]).pop();
}

/** Microseconds a lookup, of tokens from all over the store. */
async function visit({ postern, tokens }: Filled): Promise<number> {
  const chosen = Array.from({ length: LOOKUPS }, () => tokens[Math.floor(Math.random() * tokens.length)] as string);
  const begun = performance.now();
  for (const token of chosen) {
    const answer = await postern.authenticate(token);
    if (!answer.ok) wrong++;
  }
  return ((performance.now() - begun) * 1000) / LOOKUPS;
}
