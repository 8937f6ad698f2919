/** PostgreSQL's error code of five characters (its manual, appendix A); `null` if the error didn't come from the server. */
export function sqlState(error: unknown): string | null {
  const { code, severity } = (error ?? {}) as Record<string, unknown>;
  return typeof code === 'string' && typeof severity === 'string' ? code : null;
}

/** The prepared statement is missing, or exists already: a pooler gives each transaction another connection. */
export function isLostStatement(error: unknown): boolean {
  return ['26000', '42P05', '0A000'].includes(sqlState(error) ?? '');
}

/**
 * The session refuses writes, or everything: it was opened while the server was read-only (a failover), or holds someone's failed
 * transaction. Nothing was done, and another session may do it.
 */
export function isRefusedBySession(error: unknown): boolean {
  return ['25006', '25P02'].includes(sqlState(error) ?? '');
}

/** Whether the connection can be used after this error: the server answered, and does not end or refuse the session. */
export function isConnectionSound(error: unknown): boolean {
  const state = sqlState(error);
  if (state === null || isRefusedBySession(error) || /^(08|57P0)/.test(state)) return false;
  return (error as { severity: string }).severity === 'ERROR';
}
