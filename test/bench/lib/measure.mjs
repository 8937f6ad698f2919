import { median } from './figures.mjs';

/** A case again under another name: what differs between the two is noise. */
export const again = (one) => ({ ...one, name: `${one.name}, again` });

/**
 * Measures cases against each other: each round runs all of them, in random order.
 *
 * @param cases `{ name, op, async? }`, or `{ name, take }` for one that lives in another process
 * @param {{ rounds: number, sampleMs: number, progress: (text: string) => void }} settings
 * @returns {Promise<Map<string, number[]>>} nanoseconds a call, one figure a round, by the case's name
 */
export async function measure(cases, { rounds, sampleMs, progress }) {
  const runs = [];
  for (const one of cases) {
    runs.push({ name: one.name, take: one.take ?? (await sampler(one, sampleMs)), samples: [] });
  }
  for (let round = 1; round <= rounds; round++) {
    progress(`round ${round} of ${rounds}`);
    for (const run of shuffled(runs)) run.samples.push(await run.take());
  }
  return new Map(runs.map(({ name, samples }) => [name, samples]));
}

/** What takes a sample of a case, warmed up: nanoseconds a call. */
export async function sampler({ op, async }, sampleMs) {
  const loop = async ? asyncLoop(op) : syncLoop(op);
  const calls = await calibrate(loop, sampleMs);
  return () => sample(loop, calls);
}

/** Parts of a sample, whose median it is: one in which the machine did something else does not spoil it. */
const PARTS = 7;

async function sample(loop, calls) {
  const each = Math.ceil(calls / PARTS);
  const parts = [];
  for (let part = 0; part < PARTS; part++) {
    const start = process.hrtime.bigint();
    await loop(each);
    parts.push(Number(process.hrtime.bigint() - start) / each);
  }
  return median(parts);
}

/** Warms the case up, and finds how many calls fill a sample. */
async function calibrate(loop, sampleMs) {
  let calls = 1;
  for (;;) {
    const start = process.hrtime.bigint();
    await loop(calls);
    const elapsed = Number(process.hrtime.bigint() - start) / 1e6;
    if (elapsed >= sampleMs / 2) return Math.max(1, Math.round((calls * sampleMs) / elapsed));
    calls *= elapsed < sampleMs / 20 ? 4 : 2;
  }
}

// Each case gets a loop of its own, compiled apart: a shared one would learn the types of all cases and be slow for each.

function syncLoop(op) {
  return new Function(
    'op',
    'return (calls) => { let last; for (let i = 0; i < calls; i++) last = op(i); return last; }',
  )(op);
}

function asyncLoop(op) {
  return new Function(
    'op',
    'return async (calls) => { let last; for (let i = 0; i < calls; i++) last = await op(i); return last; }',
  )(op);
}

export function shuffled(list) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}
