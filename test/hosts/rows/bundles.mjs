import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { askServer, SERVER } from '../lib/snippets.mjs';

export const host = 'esbuild, Rollup, webpack, Vite SSR';
export const how =
  'to one ES module and to one CommonJS file, all of postern inside; SQLite from the node_modules beside it';

export async function run(context) {
  await context.write({ 'server.mjs': SERVER });
  const load = async (name) => {
    const path = createRequire(join(context.modules, 'x.js')).resolve(name);
    const module = await import(pathToFileURL(path).href);
    return module.default ?? module;
  };
  const seen = [];
  for (const [name, bundle] of Object.entries(BUNDLERS)) {
    for (const format of ['esm', 'cjs']) {
      const file = join(context.folder, name, format === 'esm' ? 'server.mjs' : 'server.cjs');
      const entry = join(context.folder, 'server.mjs');
      const warnings = await bundle(await load(name), { entry, file, format, folder: context.folder });
      const ours = warnings.filter((text) => /node_modules\/postern\//.test(text));
      if (ours.length > 0) throw new Error(`${name} (${format}) warns about postern:\n${ours.join('\n')}`);
      const args = ['--no-experimental-require-module', file, join(context.folder, `${name}-${format}.db`)];
      const server = await context.start(process.execPath, args, { until: /^ready (\d+) (\S+)$/m });
      await askServer(`http://127.0.0.1:${server.match[1]}`, server.match[2]);
      await server.stop();
      seen.push(`${name} ${format}`);
    }
  }
  return [`each starts and answers, without a warning: ${seen.join(', ')}`];
}

/** Each writes one file, and returns its warnings. */
const BUNDLERS = {
  async esbuild({ build }, { entry, file, format }) {
    const { warnings } = await build({
      entryPoints: [entry],
      outfile: file,
      bundle: true,
      platform: 'node',
      format,
      logLevel: 'silent',
    });
    return warnings.map(({ text, location }) => `${location?.file}: ${text}`);
  },
  async rollup({ rollup }, { entry, file, format }) {
    const warnings = [];
    const { default: resolve } = await import('@rollup/plugin-node-resolve');
    const built = await rollup({
      input: entry,
      plugins: [resolve({ preferBuiltins: true })],
      onLog: (_, { message, id }) => warnings.push(`${id}: ${message}`),
    });
    await built.write({ file, format, inlineDynamicImports: true });
    return warnings;
  },
  webpack(webpack, { entry, file, format }) {
    const library = format === 'esm' ? { type: 'module' } : { type: 'commonjs2' };
    const options = {
      mode: 'production',
      target: 'node20',
      entry,
      experiments: { outputModule: format === 'esm' },
      output: {
        path: join(file, '..'),
        filename: format === 'esm' ? 'server.mjs' : 'server.cjs',
        module: format === 'esm',
        chunkFormat: format === 'esm' ? 'module' : 'commonjs',
        library,
      },
      plugins: [new webpack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })],
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
  async vite({ build }, { entry, file, format, folder }) {
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
          output: {
            format,
            codeSplitting: false,
            entryFileNames: format === 'esm' ? 'server.mjs' : 'server.cjs',
          },
        },
      },
    });
    return warnings;
  },
};
