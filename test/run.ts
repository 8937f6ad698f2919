import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { filesThatNeed, howToGet, inPath, succeeds, TOOLS, type Tool } from './support/tools.js';

/**
 * `npm test`: installs the programs that the tests need, then runs all of them. Tests whose program can't be had are left
 * out and listed at the end; with `CI` set, a missing program is a failure. Arguments go to vitest.
 */
const root = fileURLToPath(new URL('..', import.meta.url));

const found = missingTools();
const missing = found.length > 0 && install(found) ? missingTools() : found;
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
process.exitCode = status ?? 1;

function missingTools(): readonly Tool[] {
  return TOOLS.filter(({ isThere }) => !isThere());
}

/** Installs Debian's packages, as root or through a `sudo` that asks for no password. Says whether it could. */
function install(tools: readonly Tool[]): boolean {
  if (!inPath('apt-get')) return false;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !succeeds('sudo', '-n', 'true')) return false;
  const command = [
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '-qq',
    '-y',
    '--no-install-recommends',
    'install',
  ];
  const packages = [...new Set(tools.flatMap(({ debian }) => debian.split(' ')))];
  console.log(`npm test: installing for the tests: ${packages.join(', ')}`);
  for (const args of [
    ['apt-get', '-qq', 'update'],
    [...command, ...packages],
  ]) {
    const [program = '', ...rest] = isRoot ? args : ['sudo', '-n', ...args];
    console.log(`$ ${[program, ...rest].join(' ')}`);
    if (spawnSync(program, rest, { stdio: 'inherit' }).status !== 0) return false;
  }
  return true;
}

function report(tools: readonly Tool[], title: string): string {
  const lines = tools.flatMap((tool) => [
    `  ${tool.name}: ${howToGet(tool)}`,
    ...filesThatNeed(tool).map((file) => `    ${file}`),
  ]);
  return ['', title, ...lines, ''].join('\n');
}
