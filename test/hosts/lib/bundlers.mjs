import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * esbuild, Rollup, webpack and Vite, as they come. Each takes `{ entry, file, format, folder, external, banner }`, writes one file and
 * returns its warnings.
 */
export async function bundlersOf(modules) {
  const load = async (name) => {
    const path = createRequire(join(modules, 'x.js')).resolve(name);
    const module = await import(pathToFileURL(path).href);
    return module.default ?? module;
  };
  return Promise.all(
    Object.entries(BUNDLERS).map(async ([name, bundle]) => {
      const bundler = await load(name);
      return [name, (options) => bundle(bundler, { external: [], ...options }, load)];
    }),
  );
}

const BUNDLERS = {
  async esbuild({ build }, { entry, file, format, external, banner }) {
    const { warnings } = await build({
      entryPoints: [entry],
      outfile: file,
      bundle: true,
      platform: 'node',
      format,
      external,
      logLevel: 'silent',
      ...(banner && format === 'esm' && { banner: { js: banner } }),
    });
    return warnings.map(({ text, location }) => `${location?.file}: ${text}`);
  },
  async rollup({ rollup }, { entry, file, format, external }, load) {
    const warnings = [];
    const [resolve, commonjs, json] = await Promise.all(
      ['node-resolve', 'commonjs', 'json'].map((name) => load(`@rollup/plugin-${name}`)),
    );
    const built = await rollup({
      input: entry,
      external,
      plugins: [resolve({ preferBuiltins: true }), commonjs(), json()],
      onLog: (_, { message, id }) => warnings.push(`${id}: ${message}`),
    });
    await built.write({ file, format, inlineDynamicImports: true });
    return warnings;
  },
  webpack(webpack, { entry, file, format, external }) {
    const library = format === 'esm' ? { type: 'module' } : { type: 'commonjs2' };
    const options = {
      mode: 'production',
      target: 'node20',
      entry,
      experiments: { outputModule: format === 'esm' },
      output: {
        path: join(file, '..'),
        filename: basename(file),
        module: format === 'esm',
        chunkFormat: format === 'esm' ? 'module' : 'commonjs',
        library,
      },
      plugins: [
        new webpack.optimize.LimitChunkCountPlugin({ maxChunks: 1 }),
        ...external.map((name) => new webpack.IgnorePlugin({ resourceRegExp: new RegExp(`^${name}$`) })),
      ],
    };
    return new Promise((done, fail) => {
      webpack(options, (error, stats) => {
        if (error) return fail(error);
        const { errors = [], warnings = [] } = stats.toJson({
          all: false,
          errors: true,
          warnings: true,
          moduleTrace: true,
        });
        if (errors.length > 0) return fail(new Error(errors.map(({ message }) => message).join('\n')));
        done(warnings.map((warning) => JSON.stringify(warning)));
      });
    });
  },
  async vite({ build }, { entry, file, format, folder, external }) {
    const warnings = [];
    const logger = { info() {}, warn: (text) => warnings.push(text), warnOnce: (text) => warnings.push(text) };
    await build({
      root: folder,
      configFile: false,
      customLogger: { ...logger, error: (text) => warnings.push(text), clearScreen() {}, hasErrorLogged: () => false },
      ssr: { noExternal: true },
      build: {
        ssr: entry,
        outDir: join(file, '..'),
        rollupOptions: {
          external,
          output: {
            format,
            codeSplitting: false,
            entryFileNames: basename(file),
          },
        },
      },
    });
    return warnings;
  },
};
