import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** Tests run on the sources; `test/package` runs on what is built and packed. */
export const alias = [
  { find: /^postern$/, replacement: source('index.ts') },
  { find: /^postern\/express$/, replacement: source('transports/express.ts') },
  { find: /^postern\/fastify$/, replacement: source('transports/fastify.ts') },
  { find: /^postern\/grpc$/, replacement: source('transports/grpc/index.ts') },
  { find: /^postern\/fetch$/, replacement: source('transports/fetch.ts') },
  { find: /^postern\/zones$/, replacement: source('transports/zones.ts') },
  { find: /^postern\/stores\/sqlite$/, replacement: source('stores/sqlite/index.ts') },
  { find: /^postern\/testing$/, replacement: source('testing/index.ts') },
];

export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', '**/node_modules/**'],
    testTimeout: 20_000,
  },
});
