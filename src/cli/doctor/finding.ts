import { isPosternError } from '../../domain/errors.js';
import { CliError } from '../failure.js';

/** The result of one check. */
export interface Finding {
  /** A word for the part that was examined, such as `feed`. */
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'problem';
  /** One sentence. */
  readonly message: string;
  /** The next step; `null`: none is needed, or the message says it. */
  readonly next: string | null;
}

export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message, next: null };
}

export function warning(check: string, message: string, next: string): Finding {
  return { check, status: 'warning', message, next };
}

export function problem(check: string, message: string, next: string): Finding {
  return { check, status: 'problem', message, next };
}

/** @param next for errors of others: our own say what to do */
export function failed(check: string, error: unknown, next: string): Finding {
  const message = error instanceof Error ? error.message || error.name : String(error);
  const isOurs = error instanceof CliError || isPosternError(error);
  return { check, status: 'problem', message: message.split('\n', 1)[0] as string, next: isOurs ? null : next };
}

/** Milliseconds by which a clock may differ. */
const TOLERANCE = 2_000;
const WRONG = 60_000;

/** Compares a clock with ours. Lives and proofs are judged by ours, so a difference ends them early or late. */
export function clockFinding(whose: string, theirs: number, ours: number, precision = 0): Finding {
  const apart = Math.max(0, Math.abs(theirs - ours) - precision);
  const text = `The clock of ${whose} and this machine's differ by ${Math.round(apart / 1000)} s`;
  const next = 'Synchronize both with NTP.';
  if (apart > WRONG) return problem('clock', text, next);
  return apart > TOLERANCE
    ? warning('clock', text, next)
    : ok('clock', `The clock of ${whose} agrees with this machine's`);
}
