import { isPosternError } from '../../domain/errors.js';
import type { PutTokens } from '../backend/backend.js';
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
  readonly put: PutTokens;
  /** Told of each row that is not there afterwards. */
  readonly left: (row: FileRow, why: string) => void;
  /** Told after each batch. */
  readonly progress: (counts: Counts) => void;
}

/** The library writes as many in one step. */
const AT_ONCE = 100;

/**
 * Imports rows. A bad one stops no other.
 *
 * @throws CliError if the store gives no answer: then some of the rows of the last batch may be there
 */
export async function importRows({ rows, read, put, left, progress }: Work): Promise<Counts> {
  const counts: Counts = { imported: 0, already: 0, expired: 0, bad: 0 };
  let last = 0;

  const leaveOut = (row: FileRow, why: string, as: 'expired' | 'bad' = 'bad') => {
    counts[as] += 1;
    left(row, why);
  };
  const inputOf = (row: FileRow): Input | Error => {
    try {
      return row.problem === undefined ? read(row) : new Error(row.problem);
    } catch (error) {
      return error as Error;
    }
  };
  const count = (row: FileRow, result: PromiseSettledResult<unknown> | undefined) => {
    if (result?.status !== 'rejected') counts.imported += 1;
    else if (result.reason.code === 'token_exists') counts.already += 1;
    else leaveOut(row, result.reason.message, result.reason.code === 'expiry_past' ? 'expired' : 'bad');
  };

  let batch: FileRow[] = [];
  const flush = async () => {
    const inputs = batch.map(inputOf);
    const results = (
      await put(inputs.filter(isInput)).catch((error) => {
        throw stopped(error, last, counts);
      })
    ).values();
    for (const [index, row] of batch.entries()) {
      const input = inputs[index] as Input | Error;
      if (isInput(input)) count(row, results.next().value);
      else leaveOut(row, input.message);
    }
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

type Input = ReturnType<ReadInput>;

function isInput(input: Input | Error): input is Input {
  return !(input instanceof Error);
}

function stopped(error: unknown, last: number, { imported }: Counts): unknown {
  if (!isPosternError(error) || error.code !== 'unavailable') return error;
  return new CliError(
    `${error.message}. It stopped after line ${last}; ${imported} were imported. Run it again: those that are there are skipped`,
    EXIT.unavailable,
    { cause: error },
  );
}
