import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { makeContext } from './lib/context.mjs';
import { compare } from './lib/document.mjs';
import { assertInstalled, layOut } from './lib/install.mjs';

/** Runs each row of `rows/` in its host and prints the table. Exits 1 where a row fails. See README.md. */
const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    tarball: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    keep: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

const names = readdirSync(new URL('rows/', import.meta.url))
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.slice(0, -'.mjs'.length))
  .toSorted();
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) throw new Error(`no such row: ${unknown.join(', ')}. There are: ${names.join(', ')}`);

assertInstalled();
const world = await layOut(options.tarball);
const results = [];
const documented = new Map();
try {
  const waiting = wanted.length > 0 ? [...wanted] : [...names];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) results.push(await runRow(name));
  };
  await Promise.all(Array.from({ length: Number(options.jobs) }, work));
} finally {
  if (options.keep) console.error(`kept: ${world.folder}`);
  else await world.remove();
}

console.log(table(results.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name))));
const failed = results.filter(({ error }) => error !== undefined);
console.log(`\n${results.length - failed.length} rows work, ${failed.length} fail`);
const lacking = await compare(documented, options.write);
if (lacking.length > 0) console.log(`\ndocs/hosts.md does not say what was seen (--write):\n${lacking.join('\n')}`);
if (failed.length > 0 || lacking.length > 0) process.exitCode = 1;

async function runRow(name) {
  const { host, how, run } = await import(`./rows/${name}.mjs`);
  const begun = performance.now();
  const context = makeContext(world, name, documented);
  const done = (rest) => ({ name, host, how, seconds: (performance.now() - begun) / 1000, ...rest });
  let result;
  try {
    const seen = await run(context);
    if (!Array.isArray(seen) || seen.length === 0) throw new Error('the row says nothing of what it saw');
    result = done({ seen });
  } catch (error) {
    result = done({ seen: [], error });
    console.error(`\n${name} failed:\n${error?.stack ?? error}\n`);
  }
  await context.end();
  console.error(`${result.error ? 'FAIL' : 'ok  '} ${name} (${result.seconds.toFixed(1)} s)`);
  return result;
}

function table(rows) {
  const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const lines = rows.map(({ name, host, how, seen, error, seconds }) => {
    const saw = error ? `**FAILED** (${name}): ${String(error.message ?? error).split('\n', 1)[0]}` : seen.join('; ');
    return `| ${[host, how, saw].map(cell).join(' | ')} | ${seconds.toFixed(0)} s |`;
  });
  return ['', '| host | how | seen | time |', '| --- | --- | --- | --- |', ...lines].join('\n');
}
