import { isPosternError } from '../../domain/errors.js';
import { EXIT } from '../exit-codes.js';
import { CliError } from '../failure.js';
import type { ReadInput } from './inputs.js';
import type { FileRow } from './records.js';

/** The outcome of the rows so far. */
export interface Counts {
  imported: number;
  already: number;
  /** Tokens that have expired, which are left out. */
  expired: number;
  bad: number;
}

export interface Work {
  readonly rows: AsyncIterable<FileRow>;
  readonly read: ReadInput;
  /** Imports one, with the errors of `tokens.import`. */
  readonly put: (input: Readonly<Record<string, unknown>>) => Promise<unknown>;
  /** Told of each row that is not there afterwards. */
  readonly left: (row: FileRow, why: string) => void;
  /** Told after each batch. */
  readonly progress: (counts: Counts) => void;
}

/** A SQLite store writes what comes together with one wait for the disk. */
const AT_ONCE = 250;

/**
 * Imports rows. A bad one stops no other.
 *
 * @throws CliError if the store gives no answer: then some of the rows of the last batch may be there
 */
export async function importRows({ rows, read, put, left, progress }: Work): Promise<Counts> {
  const counts: Counts = { imported: 0, already: 0, expired: 0, bad: 0 };
  let last = 0;

  /** Resolves with the reason if the row is left out. */
  async function importRow(row: FileRow): Promise<string | undefined> {
    const bad = (why: string) => {
      counts.bad += 1;
      return why;
    };
    if (row.problem !== undefined) return bad(row.problem);
    let input: Readonly<Record<string, unknown>>;
    try {
      input = read(row);
    } catch (error) {
      return bad((error as Error).message);
    }
    try {
      await put(input);
      counts.imported += 1;
    } catch (error) {
      if (!isPosternError(error) || error.code === 'unavailable' || error.path === 'importedTokens') throw error;
      if (error.code === 'token_exists') counts.already += 1;
      else if (error.code === 'expiry_past') {
        counts.expired += 1;
        return error.message;
      } else return bad(error.message);
    }
    return undefined;
  }

  let batch: FileRow[] = [];
  const flush = async () => {
    // All of them end before a failure is thrown, so that nothing runs on behind it.
    const ended = await Promise.allSettled(batch.map(importRow));
    ended.forEach((each, index) => {
      if (each.status === 'fulfilled' && each.value !== undefined) left(batch[index] as FileRow, each.value);
    });
    const failed = ended.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw stopped(failed.reason, last, counts);
    last = batch.at(-1)?.line ?? last;
    batch = [];
    progress(counts);
  };
  for await (const row of rows) {
    if (batch.push(row) === AT_ONCE) await flush();
  }
  await flush();
  return counts;
}

function stopped(error: unknown, last: number, { imported }: Counts): unknown {
  if (!isPosternError(error) || error.code !== 'unavailable') return error;
  return new CliError(
    `${error.message}. It stopped after line ${last}; ${imported} were imported. Run it again: those that are there are skipped`,
    EXIT.unavailable,
    { cause: error },
  );
}
