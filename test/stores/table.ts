import { writeFileSync } from 'node:fs';
import type { PosternError } from 'postern';
import type { Store } from 'postern/store';
import { testStore } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { ROOT, readPage } from '../docs/pages.js';
import { onePlace } from './one-place.js';

const PAGE = 'docs/stores/README.md';
const HEAD = "| database | driver | passes | others see a change | `migrate: 'verify'` |";
const END = '<!-- the end of the table of runs -->';

/** A row of the table in docs/stores/README.md. */
export interface StoreRow<Place> {
  readonly database: string;
  readonly driver: string;
  /** The time between two looks for changes, for a store that polls. */
  readonly polls?: string;
  /** A place for tables that no other store has used. */
  place(): Place;
  /** Empties the tables of a place. Without it each case has a place of its own. */
  empty?(place: Place): Promise<unknown>;
  /** `migrate` is for SQL stores. */
  open(place: Place, migrate: 'auto' | 'verify'): Store;
}

/** Runs the whole suite over a store, and holds the table in the documentation to what the run has seen. `npm run docs:stores` writes it. */
export function testRow<Place>(row: StoreRow<Place>): void {
  const { database, driver } = row;
  describe(`${database}, ${driver}`, () => {
    let cases = 0;
    let passed = 0;
    const place = row.empty ? onePlace(row.place, row.empty) : row.place;
    testStore('the suite', async () => row.open(await place(), 'auto'), {
      describe,
      it: (title, run) => {
        cases++;
        it(title, async () => {
          await run();
          passed++;
        });
      },
    });

    it('the table in docs/stores has this row', async () => {
      expect(cases).toBeGreaterThan(100);
      expect(passed, 'every case ran, and passed').toBe(cases);
      const place = row.place();
      const maker = row.open(place, 'auto');
      // The first calls make the tables, many of them at once.
      await Promise.all(Array.from({ length: 10 }, () => maker.findToken('x')));
      const others = maker.confirm ? 'at once' : maker.subscribe ? `within ${row.polls}` : 'within `cache.ttl`';
      await maker.close();
      const cells = [database, driver, 'all', others, await verified(row, place)];
      document(`| ${cells.join(' | ')} |`, `| ${database} | ${driver} |`);
    });
  });
}

/** Whether `migrate: 'verify'` accepts a place that is made, and refuses an empty one. */
async function verified<Place>({ open, place }: StoreRow<Place>, made: Place): Promise<string> {
  const [store, empty] = [open(made, 'verify'), open(place(), 'verify')];
  expect(await store.findToken('x')).toBeNull();
  const refused = await empty.findToken('x').catch((error: PosternError) => error.code);
  await Promise.all([store.close(), empty.close()]);
  return refused === 'store_invalid' ? 'yes' : '–';
}

function document(line: string, start: string): void {
  const page = readPage(PAGE);
  if (!process.env.POSTERN_DOCS) {
    expect(page.split('\n'), 'npm run docs:stores writes the table').toContain(line);
    return;
  }
  const lines = page.split('\n');
  const there = lines.findIndex((each) => each.startsWith(start));
  lines.splice(there < 0 ? lines.indexOf(END) : there, there < 0 ? 0 : 1, line);
  const [begin, end] = [lines.indexOf(HEAD) + 2, lines.indexOf(END)];
  lines.splice(begin, end - begin, ...lines.slice(begin, end).sort());
  writeFileSync(`${ROOT}${PAGE}`, lines.join('\n'));
}
