import { type ImportedTokenForm, type ImportToken, isPosternError, type Postern } from 'postern';

/** A system that tokens come from. */
export interface Source<Row> {
  /** The forms of its tokens, for the option `importedTokens` of every service. */
  readonly importedTokens: readonly ImportedTokenForm[];
  /**
   * A row as a token of postern.
   *
   * @throws Ended if the token no longer works in the old system; Error if the row can't be imported
   */
  tokenOf(row: Row): ImportToken;
}

/** The reason why a token is left out: it no longer works in the old system. */
export class Ended extends Error {}

/** The result of an import. Rows are named by their number and id. */
export interface Report {
  readonly imported: number;
  /** The number of tokens that were here before. */
  readonly already: number;
  readonly ended: readonly string[];
  readonly bad: readonly string[];
}

const AT_ONCE = 200;

/**
 * Imports each row on its own, so a bad one does not stop the others. A second run imports only the tokens that are missing.
 *
 * @throws PosternError `unavailable`, `conflict`: run it again
 */
export async function importRows<Row>(
  postern: Postern,
  { tokenOf }: Source<Row>,
  rows: readonly Row[],
): Promise<Report> {
  const report = { imported: 0, already: 0, ended: [] as string[], bad: [] as string[] };

  async function importRow(row: Row, number: number): Promise<void> {
    const line = (why: unknown) => `row ${number} (id ${(row as { id?: unknown } | null)?.id}): ${why}`;
    let token: ImportToken;
    try {
      token = tokenOf(row);
    } catch (error) {
      const { message } = error as Error;
      (error instanceof Ended ? report.ended : report.bad).push(line(message));
      return;
    }
    try {
      await postern.tokens.import(token);
      report.imported += 1;
    } catch (error) {
      if (!isPosternError(error) || error.code === 'unavailable' || error.code === 'conflict') throw error;
      if (error.code === 'token_exists') report.already += 1;
      else (error.code === 'expiry_past' ? report.ended : report.bad).push(line(error.message));
    }
  }

  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const some = rows.slice(start, start + AT_ONCE);
    await Promise.all(some.map((row, index) => importRow(row, start + index + 1)));
  }
  return report;
}
