import { isPosternError, isUnavailable, type PosternError } from '../domain/errors.js';
import { escapeInvisible, redact } from '../domain/text.js';
import { EXIT, type ExitCode } from './exit-codes.js';

/** A failure that the user can mend. The message says what failed, and in a second sentence what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  /** Whether the message is printed as it is, without the name of the program before it. */
  readonly bare: boolean;

  constructor(message: string, exitCode: ExitCode = EXIT.failed, options: { bare?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = exitCode;
    this.bare = options.bare ?? false;
  }
}

export function usageError(message: string): CliError {
  return new CliError(message, EXIT.usage);
}

/** The person's own end of a question: no error. */
export function cancelled(kept: string): CliError {
  return new CliError(`Cancelled. ${kept}`, EXIT.interrupted, { bare: true });
}

/** Stands before every error. */
export const PROGRAM = 'postern:';

/** An error's printed message and the exit code of the process. */
export interface Failure {
  readonly message: string;
  readonly exitCode: ExitCode;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof CliError) {
    return { message: error.bare ? error.message : sentence(error.message), exitCode: error.exitCode };
  }
  if (isPosternError(error)) return { message: sentence(error.message), exitCode: exitCodeOf(error) };
  const text = error instanceof Error ? error.message : String(error);
  return {
    message: sentence(`${text.split('\n', 1)[0]}. Run it again with POSTERN_DEBUG=1 to see its origin`),
    exitCode: EXIT.failed,
  };
}

function exitCodeOf(error: PosternError): ExitCode {
  // A faulty store stays faulty. Only a store that gives no answer is worth another try.
  const lasting = error.code === 'store_invalid' || error.code === 'store_newer' || error.code === 'driver_missing';
  return isUnavailable(error) && !lasting ? EXIT.unavailable : EXIT.failed;
}

function sentence(text: string): string {
  const clean = escapeInvisible(redact(text.trim()));
  return `${PROGRAM} ${clean}${/[.!?]$/.test(clean) ? '' : '.'}`;
}
