import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { start } from '../lib/child.mjs';
import { micros, ratios, spread } from '../lib/figures.mjs';
import { shuffled } from '../lib/measure.mjs';
import { fillSqlite, temporaryDirectory } from '../lib/sqlite-file.mjs';

/** Warm and cold at each size, every one in a process of its own; they take turns. */
export async function run(settings) {
  const sizes = settings.quick ? [1_000, 10_000, 100_000] : [1_000, 10_000, 100_000, 1_000_000];
  const directory = temporaryDirectory();
  const cases = [];
  for (const size of sizes) {
    const filename = join(directory, `${size}.db`);
    const tokens = await fillSqlite(filename, size, settings.progress);
    writeFileSync(`${filename}.tokens`, tokens.join('\n'));
    cases.push({ kind: 'warm', size, filename }, { kind: 'cold', size, filename });
    if (size === sizes[0]) {
      cases.push({ kind: 'warm', size, filename, again: true }, { kind: 'cold', size, filename, again: true });
    }
  }
  for (const each of cases) {
    settings.progress(`${each.kind}, ${each.size.toLocaleString('en-US')} tokens: filling its cache`);
    each.samples = [];
    each.process = await start('groups/growth-worker.mjs', [each.kind, each.filename, settings.sampleMs]);
  }
  try {
    for (let round = 1; round <= settings.rounds; round++) {
      settings.progress(`round ${round} of ${settings.rounds}`);
      for (const each of shuffled(cases)) each.samples.push(await each.process.ask('sample'));
    }
  } finally {
    for (const each of cases) await each.process?.stop();
  }
  return report(cases, sizes);
}

function report(cases, sizes) {
  const find = (kind, size, again) =>
    cases.find((one) => one.kind === kind && one.size === size && one.again === again);
  const smallest = (kind) => find(kind, sizes[0]).samples;
  const twins = (kind) => [ratios(smallest(kind), find(kind, sizes[0], true).samples)];
  const name = ({ kind, size, again }) => `${kind}, ${size.toLocaleString('en-US')} tokens${again ? ', again' : ''}`;
  const sorted = [...cases].sort((a, b) => b.kind.localeCompare(a.kind) || a.size - b.size);
  return {
    tables: [
      {
        head: ['case', 'a call', `of ${sizes[0].toLocaleString('en-US')} tokens`],
        rows: sorted.map((one) => [
          name(one),
          micros(one.samples),
          spread(ratios(one.samples, smallest(one.kind)), 'x'),
        ]),
      },
    ],
    notes: [
      'warm: tryAuthorize of 1,000 hot tokens; before it, every token of the store was verified once, so the cache is as full as it gets (100,000 at most).',
      'cold: authorize with cache: false, tokens in random order over the whole file.',
    ],
    goals: ['warm', 'cold'].flatMap((kind) =>
      sizes.slice(1).map((size) => ({
        goal: '9',
        what: `${kind}: ${size.toLocaleString('en-US')} tokens against ${sizes[0].toLocaleString('en-US')}`,
        atMost: kind === 'warm' ? 1.2 : 1.5,
        ...(kind === 'warm' && { stretch: 1.05 }),
        unit: 'x',
        twins: twins(kind),
        values: ratios(find(kind, size).samples, smallest(kind)),
      })),
    ),
  };
}
