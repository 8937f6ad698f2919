import { join } from 'node:path';
import { bundlersOf } from '../lib/bundlers.mjs';
import { askServer, SERVER } from '../lib/snippets.mjs';

export const host = 'esbuild, Rollup, webpack, Vite SSR';
export const how =
  'to one ES module and to one CommonJS file, all of postern inside; SQLite from the node_modules beside it';

export async function run(context) {
  await context.write({ 'server.mjs': SERVER });
  const seen = [];
  for (const [name, bundle] of await bundlersOf(context.modules)) {
    for (const format of ['esm', 'cjs']) {
      const file = join(context.folder, name, format === 'esm' ? 'server.mjs' : 'server.cjs');
      const entry = join(context.folder, 'server.mjs');
      const warnings = await bundle({ entry, file, format, folder: context.folder });
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
