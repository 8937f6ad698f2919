import { askServer, SERVER } from '../lib/snippets.mjs';

export const host = 'Node, CommonJS';
export const how = '--no-experimental-require-module; SQLite';

export async function run(context) {
  const code = SERVER.replaceAll(/import (\{[^}]*\}) from '([^']+)';/g, "const $1 = require('$2');");
  await context.write({ 'server.cjs': code });
  const { match } = await context.start(
    process.execPath,
    ['--no-experimental-require-module', 'server.cjs', `${context.folder}/a.db`],
    { until: /^ready (\d+) (\S+)$/m },
  );
  return [await askServer(`http://127.0.0.1:${match[1]}`, match[2])];
}
