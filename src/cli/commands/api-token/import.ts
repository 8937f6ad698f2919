import { createReadStream } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { Command, Option } from 'commander';
import type { PutTokens } from '../../backend/backend.js';
import { CliError, usageError } from '../../failure.js';
import type { Host } from '../../host.js';
import { type Counts, importRows } from '../../import/import-rows.js';
import { csvReader, readJson } from '../../import/inputs.js';
import { type FileRow, rowsOf } from '../../import/records.js';
import { outputOption, withTarget } from '../../options.js';
import { type Format, note, print } from '../../output/print.js';
import { rateOf } from '../../output/rate.js';
import { newPrivateFile } from '../../private-file.js';
import { type TargetOptions, withBackend } from '../../target.js';

interface ImportOptions extends TargetOptions {
  readonly format?: 'ndjson' | 'csv';
  readonly dryRun?: boolean;
  readonly errors?: string;
  readonly output: Format;
}

/** Without a file for them, all are printed. */
const MOST_PRINTED = 10;

export function importTokens(host: Host): Command {
  return withTarget(new Command('import'))
    .description(
      'Import tokens that were issued elsewhere into a store, by their SHA-256. Each row has the fields of tokens.import: digest (64 hexadecimal digits), name, types, owner, expiresAt and so on. It works on a store only, and postern.config must list the form of the tokens (importedTokens). It can be run again: tokens that are there are counted, and left as they are.',
    )
    .argument('<file>', 'the rows; - is stdin')
    .addOption(
      new Option(
        '--format <format>',
        'ndjson: a JSON object a line; csv: names of fields in the first line, and JSON in the columns types, metadata, rateLimit, quota and mayIssue (default: csv for a file named so, else ndjson)',
      ).choices(['ndjson', 'csv']),
    )
    .option('--dry-run', 'check all rows, and write no token')
    .option('--errors <file>', 'write the rows that are not imported into a new file: line, error and row, as JSON')
    .addOption(outputOption())
    .action(async (file: string, { format, dryRun = false, errors, output, ...target }: ImportOptions) => {
      const log = errors === undefined ? null : await newErrorFile(errors);
      try {
        const isCsv = (format ?? (/\.csv$/i.test(file) ? 'csv' : 'ndjson')) === 'csv';
        const counts = await withBackend(host, target, async (backend) => {
          const put = await backend.importing(dryRun);
          return importFile(host, file, isCsv, put, log);
        });
        print(host, output, { dry_run: dryRun, ...counts }, () => `${inWords(counts, dryRun)}\n`);
        if (counts.bad > 0) throw new CliError(wrongIn(counts, errors));
      } finally {
        await log?.close();
      }
    });
}

async function importFile(
  host: Host,
  file: string,
  isCsv: boolean,
  put: PutTokens,
  log: FileHandle | null,
): Promise<Counts> {
  const { chunks, size } = file === '-' ? { chunks: host.stdin, size: null } : await opened(file);
  const speed = rateOf(host, size);
  const rows = rowsOf(speed.counted(chunks), isCsv ? 'csv' : 'ndjson');
  let read = readJson;
  if (isCsv) {
    const first = await rows.next();
    if (first.done) throw usageError(`${file} is empty. Give the names of the columns in its first line`);
    read = csvReader(first.value);
  }
  let printed = 0;
  const left = (row: FileRow, why: string) => {
    if (log !== null) lines.push(`${JSON.stringify({ line: row.line, error: why, row: row.text })}\n`);
    if (log !== null && printed++ >= MOST_PRINTED) return;
    speed.end();
    note(host, `Line ${row.line}: ${why}`);
  };
  const lines: string[] = [];
  const written = async function* () {
    for await (const row of rows) {
      if (lines.length > 0) await log?.appendFile(lines.splice(0).join(''));
      yield row;
    }
  };
  try {
    const progress = ({ imported, already, expired, bad }: Counts) => speed.show(imported + already + expired + bad);
    return await importRows({ rows: written(), read, put, left, progress });
  } finally {
    await log?.appendFile(lines.join(''));
    speed.end();
  }
}

async function opened(file: string) {
  try {
    const { size } = await stat(file);
    return { chunks: createReadStream(file), size };
  } catch (error) {
    throw new CliError(`${file} can not be read (${(error as NodeJS.ErrnoException).code}). Correct its path`);
  }
}

/** Rows may hold secrets by mistake. */
function newErrorFile(file: string): Promise<FileHandle> {
  return newPrivateFile(file, {
    taken: `${file} is there already. Give --errors another name`,
    failed: (code) => `${file} can not be written (${code}). Name a file in a writable folder`,
  });
}

function inWords({ imported, already, expired, bad }: Counts, dryRun: boolean): string {
  const done = dryRun ? 'would be imported' : 'imported';
  return `${imported} ${done}, ${already} already there, ${expired} expired and left out, ${bad} not imported`;
}

function wrongIn({ bad }: Counts, errors: string | undefined): string {
  const rows = `${bad} ${bad === 1 ? 'row was' : 'rows were'} not imported`;
  const them = bad === 1 ? 'it' : 'them';
  return errors === undefined
    ? `${rows}. Correct ${them}, and run it again: tokens that are there are skipped`
    : `${rows}: ${errors} has ${them}. Take out the ${bad === 1 ? 'text' : 'texts'} under "row", correct ${them}, and import only ${them}`;
}
