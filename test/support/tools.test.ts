import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { TOOLS } from './tools.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILES = ['stores', 'faults', 'limits', 'cli', 'deciding', 'managing', 'management', 'jwt']
  .flatMap((folder) =>
    readdirSync(`${ROOT}test/${folder}`, { recursive: true, encoding: 'utf8' }).map((name) => `test/${folder}/${name}`),
  )
  .filter((name) => name.endsWith('.test.ts'));

it.each([
  ['PostgreSQL', 'usePostgres('],
  ['MariaDB', 'useMariadb('],
  ['Redis', 'useRedis('],
])('every file that needs %s is left out where it is not installed', (name, call) => {
  const tool = TOOLS.find((each) => each.name === name);
  const needing = FILES.filter((file) => readFileSync(ROOT + file, 'utf8').includes(call));
  expect(needing.length).toBeGreaterThan(0);
  expect(needing.filter((file) => !tool?.files.test(file))).toEqual([]);
});
