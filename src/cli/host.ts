import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** An output stream of the process, or of a test. */
export interface Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** An input stream of the process, or of a test. */
export interface Input extends AsyncIterable<Uint8Array | string> {
  readonly isTTY?: boolean | undefined;
  /** Lets go of an input that nobody will read to its end: it would keep the process alive. */
  destroy?(): unknown;
}

/** The command's only way to the machine: no other code in it reads argv, the environment or the clock. */
export interface Host {
  /** The words after the command's own name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly platform: NodeJS.Platform;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  /** Opens a page in the person's browser. It never fails, because the address is printed too. */
  readonly openBrowser: (url: string) => void;
  /** Calls `listener` when the process is asked to end. The result removes the listener. */
  readonly onStop: (listener: (signal: NodeJS.Signals) => void) => () => void;
}

export function processHost(): Host {
  return {
    args: process.argv.slice(2),
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    platform: process.platform,
    clock: Date.now,
    wait: sleep,
    openBrowser,
    onStop(listener) {
      process.on('SIGINT', listener);
      process.on('SIGTERM', listener);
      return () => {
        process.off('SIGINT', listener);
        process.off('SIGTERM', listener);
      };
    },
  };
}

/** Without a shell, because a part of the address comes from a server. */
function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url];
  const child = spawn(command as string, args, { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}
