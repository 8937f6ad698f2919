import type { bentocloudTokenTypes, Attempt as GenericAttempt } from 'postern';

export type Attempt = GenericAttempt<typeof bentocloudTokenTypes>;

/** 2026-01-01, when every test begins. */
export const START = Date.UTC(2026, 0, 1);

/** The `PosternError` that a promise rejects with, in the parts that are its contract. */
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

/** The same of a function that throws. */
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

/** What a decision says, in one word: `allowed`, or the reason. */
export function verdict(decision: { allowed: true } | { allowed: false; reason: string }): string {
  return decision.allowed ? 'allowed' : decision.reason;
}

/** The same token with another last character: right form, wrong checksum. */
export function withWrongChecksum(token: string): string {
  return token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
}
