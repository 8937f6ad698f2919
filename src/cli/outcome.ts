import type { ExitCode } from './exit-codes.js';

/** An exit code that is no failure: the answer of `verify` and `explain`. */
export interface Outcome {
  exitCode: ExitCode;
}
