/** PostgreSQL's five characters for what went wrong (its manual, appendix A), `null` for what did not come from the server. */
export function sqlState(error: unknown): string | null {
  const { code, severity } = (error ?? {}) as Record<string, unknown>;
  return typeof code === 'string' && typeof severity === 'string' ? code : null;
}

/** Another row has this key: the statement, all of it, was undone. */
export function isTaken(error: unknown): boolean {
  // Two changes of one id would be a fault of the caller's, and no answer.
  return sqlState(error) === '23505' && (error as { constraint?: unknown }).constraint !== 'changes_pkey';
}

/** Serialization failure or deadlock: nothing was done, and it may be tried again. Under READ COMMITTED there is neither. */
export function isTransient(error: unknown): boolean {
  return ['40001', '40P01'].includes(sqlState(error) ?? '');
}

/** The prepared statement is not there, or is there already: a pooler gives each transaction another connection. */
export function isLostStatement(error: unknown): boolean {
  return ['26000', '42P05', '0A000'].includes(sqlState(error) ?? '');
}

/** The tables, or their schema, are gone. */
export function isMissingTable(error: unknown): boolean {
  return ['42P01', '3F000'].includes(sqlState(error) ?? '');
}

/** Something of another application has the name already. */
export function isNameTaken(error: unknown): boolean {
  return ['42P07', '42710', '42723'].includes(sqlState(error) ?? '');
}

/**
 * The session does not write, or nothing at all: it was opened while the server was read-only (a failover), or someone left a
 * failed transaction in it. Nothing was done, and another session may do it.
 */
export function isRefusedBySession(error: unknown): boolean {
  return ['25006', '25P02'].includes(sqlState(error) ?? '');
}

/** Whether the connection can go on after this error: the server answered, did not say goodbye, and will do better next time. */
export function isConnectionSound(error: unknown): boolean {
  const state = sqlState(error);
  if (state === null || isRefusedBySession(error) || /^(08|57P0)/.test(state)) return false;
  return (error as { severity: string }).severity === 'ERROR';
}
