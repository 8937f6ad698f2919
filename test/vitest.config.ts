import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { filesOf } from './projects.js';
import { filesThatNeed, TOOLS } from './support/tools.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const entries = fileURLToPath(new URL('../src/entries/', import.meta.url));

const alias = [
  { find: /^postern$/, replacement: `${entries}index.ts` },
  { find: /^postern\/(.+)$/, replacement: `${entries}$1.ts` },
];

/** Where `.ci/run` wants the counts; nothing more than the terminal's own report without it. */
const report = process.env.POSTERN_TEST_REPORT;

/** Files whose programs `npm test` could not get. Without it every file runs, and fails where its program is missing. */
const without = (process.env.POSTERN_TEST_WITHOUT ?? '').split(',');
const leftOut = TOOLS.filter(({ name }) => without.includes(name)).flatMap(filesThatNeed);

/** The projects whose files are not in `unit`. */
const OTHERS = ['alone', 'services', 'slow', 'package'] as const;

/** The sources, by the package's own names. A long limit is no expectation: a busy machine is slow. */
const source = { root, resolve: { alias } };
const limits = {
  testTimeout: 300_000,
  hookTimeout: 300_000,
  expect: { poll: { timeout: 60_000 } },
  exclude: leftOut,
};

export default defineConfig({
  root,
  test: {
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    // Where a test makes faults on purpose and gives no `onEvent`.
    onConsoleLog: (log) => !log.startsWith('postern: a fault'),
    projects: [
      {
        ...source,
        test: {
          ...limits,
          name: 'unit',
          // Modules are loaded once for all files: a third of the time.
          isolate: false,
          pool: 'threads',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...OTHERS.flatMap(filesOf)],
        },
      },
      { ...source, test: { ...limits, name: 'alone', include: filesOf('alone') } },
      {
        ...source,
        test: {
          ...limits,
          name: 'services',
          include: filesOf('services'),
          globalSetup: ['test/cli/build.ts'],
          // The built command is loaded by Node itself, as in a process of its own.
          server: { deps: { external: [/\/postern-command-/] } },
        },
      },
      { ...source, test: { ...limits, name: 'slow', include: filesOf('slow') } },
      {
        // What is built, packed and installed; the global setup does that once, and only when one of these runs.
        root,
        test: { ...limits, name: 'package', include: filesOf('package'), globalSetup: ['test/package/install.ts'] },
      },
    ],
  },
});
