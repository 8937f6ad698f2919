import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = (path: string) => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

const alias = [
  { find: /^postern$/, replacement: source('index.ts') },
  { find: /^postern\/express$/, replacement: source('transports/express.ts') },
  { find: /^postern\/fastify$/, replacement: source('transports/fastify.ts') },
  { find: /^postern\/grpc$/, replacement: source('transports/grpc/index.ts') },
  { find: /^postern\/fetch$/, replacement: source('transports/fetch.ts') },
  { find: /^postern\/jwt$/, replacement: source('jwt/index.ts') },
  { find: /^postern\/management$/, replacement: source('management/index.ts') },
  { find: /^postern\/zones$/, replacement: source('transports/zones.ts') },
  { find: /^postern\/stores\/sqlite$/, replacement: source('stores/sqlite/index.ts') },
  { find: /^postern\/limits$/, replacement: source('limits/index.ts') },
  { find: /^postern\/stores\/postgres$/, replacement: source('stores/postgres/index.ts') },
  { find: /^postern\/stores\/redis$/, replacement: source('stores/redis/index.ts') },
  { find: /^postern\/testing$/, replacement: source('testing/index.ts') },
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
