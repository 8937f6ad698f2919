/** Whether a transaction is open on a connection: of `better-sqlite3` and `libsql`, and of `node:sqlite` since Node 22.16. */
export interface Connection {
  readonly inTransaction?: boolean;
  readonly isTransaction?: boolean;
}

/**
 * Ours begins and ends without a pause, so an open one is the application's, and what it has written may never come to be: nothing is
 * read through its connection.
 *
 * @returns whether the connection can tell
 */
export function assertNotBegun(connection: object): boolean {
  const { inTransaction, isTransaction } = connection as Connection;
  const isBegun = inTransaction ?? isTransaction;
  if (isBegun) throw new Error('the database is locked: the application has a transaction open on this connection');
  return isBegun !== undefined;
}
