import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));
const entries = fileURLToPath(new URL('../src/entries/', import.meta.url));

const alias = [
  { find: /^postern$/, replacement: `${entries}index.ts` },
  { find: /^postern\/(.+)$/, replacement: `${entries}$1.ts` },
];

/** Where `.ci/run` wants the counts; nothing more than the terminal's own report without it. */
const report = process.env.POSTERN_TEST_REPORT;

export default defineConfig({
  root,
  test: {
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      {
        // The sources, by the package's own names.
        root,
        resolve: { alias },
        test: {
          name: 'source',
          include: ['test/**/*.test.ts'],
          exclude: ['test/package/**', 'test/bench/**', '**/node_modules/**'],
          testTimeout: 20_000,
        },
      },
      {
        // What is built, packed and installed; the global setup does that once, and only when one of these runs.
        root,
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/package/install.ts'],
          testTimeout: 120_000,
        },
      },
    ],
  },
});
