import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stillMissing } from './support/install.js';
import { filesThatNeed, howToGet, OPTIONAL, TOOLS, type Tool } from './support/tools.js';

/**
 * `npm test`: installs the programs that the tests need, then runs all of them. Tests whose program can't be had are left
 * out and listed at the end; with `CI` set, a missing program is a failure. Arguments go to vitest.
 */
const root = fileURLToPath(new URL('..', import.meta.url));

const missing = stillMissing(TOOLS, 'npm test');
if (missing.length > 0 && process.env.CI) {
  console.error(report(missing, 'npm test: CI is set, and these programs are missing:'));
  process.exit(1);
}
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, POSTERN_TEST_WITHOUT: missing.map(({ name }) => name).join() },
  },
);
if (missing.length > 0)
  console.warn(report(missing, '!!! NOT TESTED: these programs are missing, so these files did not run:'));
const untested = OPTIONAL.filter(({ isThere }) => !isThere());
if (untested.length > 0) {
  console.warn('\n!!! NOT TESTED: nothing ran with these programs, which are not here:');
  for (const { name, howToGet } of untested) console.warn(`  ${name}: ${howToGet}`);
}
process.exitCode = status ?? 1;

function report(tools: readonly Tool[], title: string): string {
  const lines = tools.flatMap((tool) => [
    `  ${tool.name}: ${howToGet(tool)}`,
    ...filesThatNeed(tool).map((file) => `    ${file}`),
  ]);
  return ['', title, ...lines, ''].join('\n');
}
