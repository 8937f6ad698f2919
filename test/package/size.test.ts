import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'esbuild';
import { expect, it } from 'vitest';

/** What is loaded with the first token that is made, or the first signed token that comes: not by who verifies API tokens. */
const lazy: Plugin = {
  name: 'lazy',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\./ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : null));
  },
};

/** Bytes of the core entry and what it loads, minified and gzipped as a bundler and a server would. */
async function size(external: string[], plugins: Plugin[] = []): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: ['src/entries/index.ts'],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external,
    plugins,
  });
  return gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).byteLength;
}

it('the core entry is at most 23 KB, minified and gzipped, without zod and jose', async () => {
  const own = await size(['zod', 'jose'], [lazy]);
  const withSigned = await size(['zod', 'jose']);
  const withZod = await size([], [lazy]);
  console.info(
    `core: ${(own / 1024).toFixed(1)} KB; signed tokens, loaded with the first, add ${((withSigned - own) / 1024).toFixed(1)} KB; zod adds ${((withZod - own) / 1024).toFixed(1)} KB; jose is not loaded`,
  );
  expect(own).toBeGreaterThan(1024);
  expect(own).toBeLessThanOrEqual(23 * 1024);
  // With one `import { z }` in place of `import * as z`, all of zod comes along: 90 KB.
  expect(withZod - own).toBeLessThanOrEqual(32 * 1024);
});
