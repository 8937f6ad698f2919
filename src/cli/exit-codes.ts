/** Exit codes, also listed by `postern --help`. */
export const EXIT = {
  ok: 0,
  /** Refused, not found or not valid: trying again changes nothing. */
  failed: 1,
  usage: 2,
  /** The server or the store gave no answer, so the outcome is unknown. */
  unavailable: 3,
  /** 128 + SIGINT, as a shell reports it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit codes:
  0    done; for verify and explain: valid, allowed
  1    refused, not found or failed; for verify and explain: not valid, denied
  2    the command line is wrong
  3    the server or the store can't be reached, or is unavailable: try again
  130  interrupted`;
