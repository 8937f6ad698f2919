/** Whether a transaction is open on a connection: of `better-sqlite3` and `libsql`, and of `node:sqlite` since Node 22.16. */
export interface Connection {
  readonly inTransaction?: boolean;
  readonly isTransaction?: boolean;
}

/**
 * Ours begins and ends without a pause, so an open one is the application's, and what it has written may never come to be: nothing is
 * read through its connection.
 */
export function assertNotBegun(connection: object): void {
  const { inTransaction, isTransaction } = connection as Connection;
  if (inTransaction ?? isTransaction) {
    throw new Error('the database is locked: the application has a transaction open on this connection');
  }
}
