import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Options } from 'tsup';

const shared: Options = {
  format: 'esm',
  target: ['node20', 'es2022'],
  treeshake: true,
  // Without it `node:sqlite` becomes `sqlite`, which is no built-in module.
  removeNodeProtocol: false,
  external: [/^node:/],
  minify: false,
  sourcemap: false,
  clean: true,
};

export default defineConfig([
  {
    ...shared,
    /** One file for each subpath of package.json's `exports`. */
    entry: ['src/entries/**/*.ts'],
    platform: 'neutral',
    // Shared chunks: `PosternError` is one class, whichever entries an application imports.
    splitting: true,
    // `npm run types` has checked them: a second time is half of the build.
    dts: { compilerOptions: { noEmitOnError: false } },
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

/** The licences of the packages that were bundled, as their terms ask for: found by what the bundler says went in. */
function writeLicenses(folder: string): void {
  const metafile = join(folder, 'metafile-esm.json');
  const { inputs } = JSON.parse(readFileSync(metafile, 'utf8')) as { inputs: Record<string, unknown> };
  const folders = Object.keys(inputs).flatMap((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []);
  const texts = [...new Set(folders)].sort().map((each) => {
    const { name, version, license } = JSON.parse(readFileSync(join(each, 'package.json'), 'utf8'));
    const file = readdirSync(each).find((one) => /^licen[cs]e/i.test(one));
    if (file === undefined) throw new Error(`${name} has no file with its licence`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(each, file), 'utf8').trim()}\n`;
  });
  writeFileSync(join(folder, 'LICENSES.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`));
  rmSync(metafile);
}
