import type { bentocloudTokenTypes, Attempt as GenericAttempt } from 'postern';

export type Attempt = GenericAttempt<typeof bentocloudTokenTypes>;

/** 2026-01-01, the start of every test. */
export const START = Date.UTC(2026, 0, 1);

/** The code, path and message of the `PosternError` that a promise rejects with. */
export async function refusal(
  work: Promise<unknown>,
): Promise<{ code: string; path: string | undefined; message: string }> {
  const error: unknown = await work.then(
    (value) => {
      throw new Error(`nothing was refused; the outcome was ${JSON.stringify(value)}`);
    },
    (reason: unknown) => reason,
  );
  return parts(error);
}

/** The same for a function that throws. */
export function thrown(work: () => unknown): { code: string; path: string | undefined; message: string } {
  let value: unknown;
  try {
    value = work();
  } catch (error) {
    return parts(error);
  }
  throw new Error(`nothing was thrown; the outcome was ${JSON.stringify(value)}`);
}

function parts(error: unknown) {
  if (!(error instanceof Error) || error.name !== 'PosternError') throw error;
  const { code, path, message } = error as Error & { code: string; path: string | undefined };
  return { code, path, message };
}

/** `allowed`, or the reason of the denial. */
export function verdict(decision: { allowed: true } | { allowed: false; reason: string }): string {
  return decision.allowed ? 'allowed' : decision.reason;
}

/** The same token with another last character: the right form with a wrong checksum. */
export function withWrongChecksum(token: string): string {
  return token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
}
