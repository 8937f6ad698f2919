import { expect, it } from 'vitest';
import { UsageRecorder } from '../../src/deciding/usage.js';
import { Uses } from '../../src/deciding/uses.js';

type Batch = readonly { readonly lastUsedAt: number; readonly counts: readonly { readonly count: number }[] }[];

it('a token that is used in many ways is written in short transactions, and every use counts', async () => {
  const batches: Batch[] = [];
  let down = true;
  const recordUsage = async (batch: Batch) => {
    if (down) throw new Error('the store is down');
    batches.push(batch);
  };
  const usage = new UsageRecorder({ recordUsage } as never, { fault() {} } as never);
  const token = { principal: { tokenId: 'wide' }, uses: null } as never;
  for (let i = 0; i < 1_000; i++) usage.note(token, '', `models:${i}`, 1_000 + i);
  await usage.flush();
  for (let i = 0; i < 1_000; i++) usage.note(token, '', `models:${i}`, 3_000);
  down = false;
  await usage.close();
  const counts = batches.map((batch) => batch.flatMap((each) => each.counts));
  expect(Math.max(...counts.map(({ length }) => length))).toBe(300);
  expect(counts.flat()).toHaveLength(1_000);
  expect(counts.flat().every(({ count }) => count === 2)).toBe(true);
  expect(new Set(batches.flat().map(({ lastUsedAt }) => lastUsedAt))).toEqual(new Set([3_000]));
});

it('many ways of use are found without a list of them', () => {
  const uses = new Uses('token');
  const began = performance.now();
  for (let i = 0; i < 40_000; i++) uses.add(1, '', `models:${i}`, 1, 1, true);
  expect(uses.size).toBe(40_000);
  // A list takes ten times as long.
  expect(performance.now() - began).toBeLessThan(1_000);
});
