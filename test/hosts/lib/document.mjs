import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../../../docs/hosts.md', import.meta.url));
const COLUMNS = [
  'node:http',
  'upgrades',
  'Express 5',
  'Express 4',
  'Fastify',
  'NestJS',
  'Hono',
  'fetch',
  'SQLite',
  'signed tokens',
];

/**
 * Compares what the rows saw of runtimes with the table in docs/hosts.md, line by line.
 *
 * @param documented the cells of each runtime, by column
 * @param write whether the page takes over what differs
 * @returns the lines that the page lacks
 */
export async function compare(documented, write) {
  const page = await readFile(PAGE, 'utf8');
  const lines = page.split('\n');
  const lacking = [];
  for (const [runtime, cells] of documented) {
    const line = `| ${[runtime, ...COLUMNS.map((column) => cells[column] ?? '–')].join(' | ')} |`;
    if (lines.includes(line)) continue;
    lacking.push(line);
    // Of a runtime, one line for each major version of Node and one for each other runtime.
    const name = /^Node \d+|^\w+/.exec(runtime)[0];
    const old = lines.findIndex((each) => each.startsWith(`| ${name}.`) || each.startsWith(`| ${name} `));
    const end = lines.indexOf('<!-- the end of the table -->');
    lines.splice(old < 0 ? end : old, old < 0 ? 0 : 1, line);
  }
  if (write && lacking.length > 0) await writeFile(PAGE, lines.join('\n'));
  return write ? [] : lacking;
}
