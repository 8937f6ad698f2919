/**
 * Bundles the console (client/, style/, index.html) into assets.ts. That file is checked in, so installing or building this
 * package needs no bundler for it.
 *
 *   node src/management/console/build.mjs            writes assets.ts
 *   node src/management/console/build.mjs --check    exits with 1 if assets.ts does not match its sources
 */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const target = ['chrome120', 'firefox125', 'safari17.4'];

const { outputFiles } = await build({
  entryPoints: [here('client/main.tsx')],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target,
  write: false,
  legalComments: 'none',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  banner: { js: '/* Contains Preact, (c) Jason Miller, MIT licence: see LICENSES.txt of postern. */' },
});
const script = outputFiles[0].text;
const styles = await build({
  entryPoints: [here('style/main.css')],
  bundle: true,
  minify: true,
  target,
  write: false,
});
const style = styles.outputFiles[0].text;
const page = (await readFile(here('index.html'), 'utf8')).replace(/<!--.*?-->\s*/gs, '').replace(/>\s+</g, '><');

const assets = `// biome-ignore-all format: generated
// biome-ignore-all lint: generated
// Generated from client/, style/ and index.html. Don't edit: run \`node src/management/console/build.mjs\`.

/** Script and style, each under a name that changes with its content. */
export const files = [
  { name: '${hashed('app', 'js', script)}', type: 'text/javascript; charset=utf-8', body: ${literal(script)} },
  { name: '${hashed('app', 'css', style)}', type: 'text/css; charset=utf-8', body: ${literal(style)} },
] as const;

/** The page. \`{script}\` and \`{style}\` stand for the addresses of the two, \`{data}\` for the settings. */
export const page = ${literal(page)};
`;

const kilobytes = (gzipSync(script + style + page, { level: 9 }).byteLength / 1024).toFixed(1);
if (process.argv.includes('--check')) {
  const current = await readFile(here('assets.ts'), 'utf8').catch(() => '');
  if (current !== assets) {
    console.error('assets.ts does not match its sources: run `node src/management/console/build.mjs`');
    process.exitCode = 1;
  }
} else {
  await writeFile(here('assets.ts'), assets);
  console.info(`console: ${kilobytes} KB gzipped`);
}

function hashed(name, extension, text) {
  return `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 12)}.${extension}`;
}

/** A template literal, because no formatter changes its quotes. */
function literal(text) {
  return `\`${text.replace(/[\\`]|\$\{/g, '\\$&')}\``;
}
