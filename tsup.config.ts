import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { rollup } from 'rollup';
import { defineConfig, type Options } from 'tsup';

const target = ['node20', 'es2022'];

const shared: Options = {
  format: 'esm',
  target,
  treeshake: true,
  // Without it `node:sqlite` becomes `sqlite`, which is no built-in module.
  removeNodeProtocol: false,
  external: [/^node:/],
  minify: false,
  sourcemap: false,
  clean: true,
};

/** A third of zod is used here. Bundled, that third is loaded in a tenth of the time that the whole package takes. */
const ZOD = /^zod$/;
/** The other packages that the CommonJS files have inside. The ES modules import them. */
const BUNDLED = [/^jose$/, /^@noble\/hashes\//];

/**
 * Makes CommonJS of each chunk, because esbuild splits ES modules only. An `import()` becomes a `require`: Jest runs no other
 * without a flag.
 */
const toCommonJs: NonNullable<Options['plugins']>[number] = {
  name: 'to-commonjs',
  renderChunk: async (code) =>
    transform(code, {
      format: 'cjs',
      target,
      // With the names of its exports in a form that an ES module can import.
      platform: 'node',
      banner: "'use strict';",
      define: { 'import.meta.url': '__filename' },
      supported: { 'dynamic-import': false },
    }),
};

/** One file for each subpath of package.json's `exports`. */
const entries: Options = { ...shared, entry: ['src/entries/**/*.ts'], platform: 'neutral' };

export default defineConfig([
  {
    ...entries,
    // Shared chunks: `PosternError` is one class, whichever entries an application imports.
    splitting: true,
    noExternal: [ZOD],
    onSuccess: async () => {
      await mergeChunks();
      writeExports();
    },
  },
  {
    ...entries,
    /** For `require`, and whole in itself: jose and noble are ES modules alone, which can not be required everywhere. */
    outExtension: () => ({ js: '.cjs' }),
    splitting: true,
    noExternal: [ZOD, ...BUNDLED],
    // Rollup would read what `toCommonJs` made.
    treeshake: false,
    plugins: [toCommonJs],
    clean: false,
    metafile: true,
    onSuccess: async () => writeLicenses('dist'),
  },
  {
    ...entries,
    format: ['esm', 'cjs'],
    clean: false,
    // `npm run types` has checked them: a second time is half of the build.
    dts: { only: true, compilerOptions: { noEmitOnError: false } },
  },
  {
    ...shared,
    /** The command: a program of its own, with the libraries that it is made with inside. `LICENSES.txt` has their licences. */
    entry: { main: 'src/cli/main.ts' },
    outDir: 'dist/cli',
    platform: 'node',
    splitting: true,
    // Half the size; and no comment names a path of the machine that built it.
    minify: true,
    dts: false,
    metafile: true,
    onSuccess: async () => writeLicenses('dist/cli'),
    // Some of what is inside is CommonJS, and asks for Node's own modules in its own way.
    banner: {
      js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`,
    },
  },
]);

/** Small chunks become few large ones: esbuild makes forty of the core, and each takes a millisecond to import. */
async function mergeChunks(): Promise<void> {
  const built = filesOf('dist', '.js').filter((file) => !file.startsWith('cli/'));
  const bundle = await rollup({
    input: Object.fromEntries(entryNames().map((name) => [name, join('dist', `${name}.js`)])),
    external: (id) => !/^[./]/.test(id),
    treeshake: { moduleSideEffects: false },
    // An entry of types alone has no export at run time, and must get none from a chunk that is merged into it.
    preserveEntrySignatures: 'strict',
    onLog: () => {},
    plugins: [{ name: 'no-paths', renderChunk: (code) => code.replace(/^\/\/ \S*node_modules\/\S+$/gm, '') }],
  });
  for (const file of built) rmSync(join('dist', file));
  await bundle.write({
    dir: 'dist',
    format: 'es',
    chunkFileNames: 'chunk-[hash].js',
    hashCharacters: 'base36',
    hoistTransitiveImports: false,
    experimentalMinChunkSize: 30_000,
  });
  await bundle.close();
}

const filesOf = (folder: string, ending: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => file.replaceAll('\\', '/'));

const entryNames = (): string[] => filesOf('src/entries', '.ts').map((file) => file.slice(0, -'.ts'.length));

/** The licences of the packages that were bundled, as their terms ask for: found by what the bundler says went in. */
function writeLicenses(folder: string): void {
  const metafile = join(folder, 'metafile-esm.json');
  const { inputs } = JSON.parse(readFileSync(metafile, 'utf8')) as { inputs: Record<string, unknown> };
  const folders = Object.keys(inputs).flatMap((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []);
  // The console was bundled before, by `npm run console`.
  if (Object.keys(inputs).some((path) => path.endsWith('console/assets.ts'))) folders.push('node_modules/preact');
  const texts = [...new Set(folders)].map((each) => {
    const { name, version, license } = JSON.parse(readFileSync(join(each, 'package.json'), 'utf8'));
    const file = readdirSync(each).find((one) => /^licen[cs]e/i.test(one));
    if (file === undefined) throw new Error(`${name} has no file with its licence`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(each, file), 'utf8').trim()}\n`;
  });
  // By name: the paths differ where a build has its packages elsewhere.
  writeFileSync(join(folder, 'LICENSES.txt'), texts.sort().join(`\n${'-'.repeat(80)}\n\n`));
  rmSync(metafile);
}

/** `exports` of package.json: a subpath for each file of `src/entries`, as ES module and as CommonJS, each with its types. */
function writeExports(): void {
  const text = readFileSync('package.json', 'utf8');
  // The core first.
  const names = entryNames().sort((a, b) => Number(b === 'index') - Number(a === 'index') || (a < b ? -1 : 1));
  const files = (name: string, kind: 'js' | 'cjs') => ({
    types: `./dist/${name}.d.${kind === 'js' ? 'ts' : 'cts'}`,
    default: `./dist/${name}.${kind}`,
  });
  const subpaths = names.map((name) => [
    name === 'index' ? '.' : `./${name}`,
    { import: files(name, 'js'), require: files(name, 'cjs') },
  ]);
  const exports = { ...Object.fromEntries(subpaths), './package.json': './package.json' };
  const written = `${JSON.stringify({ ...JSON.parse(text), exports }, null, 2)}\n`;
  if (written !== text) writeFileSync('package.json', written);
}
