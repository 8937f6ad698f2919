import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The build that is measured. */
export const dist = resolve(process.env.POSTERN_DIST ?? `${root}dist`);

/** An entry of the built package: `index`, `express`, `stores/sqlite` … */
export const load = (entry) => import(pathToFileURL(`${dist}/${entry}.js`).href);

/**
 * What the package exports to nobody, out of its sources: for figures that no public call gives alone.
 *
 * @param {string} contents one export statement, paths from the root of the package
 */
export async function loadInternals(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}
