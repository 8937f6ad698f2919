import { isPosternError, isUnavailable, type PosternError } from '../domain/errors.js';
import { escapeInvisible, redact } from '../domain/text.js';
import { EXIT, type ExitCode } from './exit-codes.js';

/** A failure that the user can mend. The message says how, in one sentence. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  /** Whether the message is printed without `Error: ` before it. */
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
    message: sentence(`${text.split('\n', 1)[0]}: run it again with POSTERN_DEBUG=1 to see its origin`),
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
  return `Error: ${clean}${/[.!?]$/.test(clean) ? '' : '.'}`;
}
