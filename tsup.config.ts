import { defineConfig } from 'tsup';

/** One entry for each subpath of package.json's `exports`; a test holds the two lists together. */
export default defineConfig({
  entry: {
    index: 'src/index.ts',
    express: 'src/transports/express.ts',
    fastify: 'src/transports/fastify.ts',
    grpc: 'src/transports/grpc/index.ts',
    fetch: 'src/transports/fetch.ts',
    jwt: 'src/jwt/index.ts',
    zones: 'src/transports/zones.ts',
    limits: 'src/limits/index.ts',
    'stores/sqlite': 'src/stores/sqlite/index.ts',
    'stores/postgres': 'src/stores/postgres/index.ts',
    'stores/redis': 'src/stores/redis/index.ts',
    testing: 'src/testing/index.ts',
  },
  format: 'esm',
  target: ['node20', 'es2022'],
  platform: 'neutral',
  // Shared chunks: `PosternError` is one class, whichever entries an application imports.
  splitting: true,
  treeshake: true,
  // Without it `node:sqlite` becomes `sqlite`, which is no built-in module.
  removeNodeProtocol: false,
  external: [/^node:/],
  dts: true,
  minify: false,
  sourcemap: false,
  clean: true,
});
