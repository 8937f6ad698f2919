/**
 * `npm run bench`: postern against its peers and against nothing. Only ratios inside one run are quoted, because two runs
 * on a shared machine differ by more than what is measured. See README.md beside this file.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { start } from './lib/child.mjs';
import { GROUPS, readOptions } from './lib/options.mjs';
import { section, summary } from './lib/report.mjs';

const options = parse(process.argv.slice(2));
if (options.help !== undefined) {
  console.log(options.help);
  process.exit(0);
}
if (options.dist !== undefined) process.env.POSTERN_DIST = resolve(options.dist);

const settings = {
  rounds: options.rounds,
  quick: options.quick,
  sampleMs: options.quick ? 20 : 150,
  loadSeconds: options.quick ? 1 : 3,
  requireHttp: options.requireHttp,
};
const began = new Date();
const parts = [header()];
const goals = [];
console.log(parts[0]);
for (const group of options.groups) {
  process.stderr.write(`${group}: ${GROUPS[group]}\n`);
  const result = await runGroup(group);
  parts.push(section(group, GROUPS[group], result));
  goals.push(...result.goals);
  console.log(`\n${parts.at(-1)}`);
}
parts.push(summary(goals));
console.log(`\n${parts.at(-1)}`);

const out = options.out ?? fileURLToPath(new URL(`results/${fileDate(began)}.md`, import.meta.url));
mkdirSync(dirname(resolve(out)), { recursive: true });
writeFileSync(out, `${parts.join('\n')}`);
console.log(`Written to ${relative(process.cwd(), out)}`);

/** A group that fails takes nothing from the others; the exit code tells. */
async function runGroup(group) {
  const child = await start('lib/group-process.mjs', [], { execArgv: group === 'memory' ? ['--expose-gc'] : [] });
  try {
    return await child.ask({ group, settings });
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
    return { tables: [], notes: [`FAILED: ${error.message.split('\n', 1)[0]}`], goals: [] };
  } finally {
    await child.stop();
  }
}

function parse(args) {
  try {
    return readOptions(args);
  } catch (error) {
    console.error(`${error.message}\nnpm run bench -- --help lists the options.`);
    process.exit(2);
  }
}

function header() {
  const machine = `Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} x ${cpus()[0]?.model}`;
  const warning = options.quick
    ? '\n\n**A quick run: it shows that the benchmark works. Its figures mean nothing.**'
    : '';
  return `# Benchmark of ${began.toISOString()}

${machine}. ${settings.rounds} rounds, cases in random order in each. Figures are median (min to max) over the rounds; a ratio is
taken within each round. "again" rows are a case run under two names: where those differ by more than 10%, a verdict
is "unresolved".${warning}
`;
}

function fileDate(date) {
  return date.toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '');
}
