import { Readable } from 'node:stream';
import { type TestClock, testClock } from 'postern/testing';
import type { Host } from '../../src/cli/host.js';
import { run } from '../../src/cli/run.js';

export interface Run {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** Whether stdout and stderr are terminals. */
  readonly terminal?: boolean;
  readonly platform?: NodeJS.Platform;
  readonly clock?: TestClock;
  readonly onWait?: () => unknown;
}

/** The command in this process, on a made-up machine. */
export async function runHere(args: readonly string[], options: Run = {}) {
  const { env = {}, input = '', terminal = false, platform = 'linux', clock = testClock(), onWait } = options;
  const written = { stdout: '', stderr: '' };
  const opened: string[] = [];
  const host: Host = {
    args,
    env,
    platform,
    stdin: Readable.from([Buffer.from(input)]),
    stdout: {
      isTTY: terminal,
      write(text) {
        written.stdout += text;
      },
    },
    stderr: {
      isTTY: terminal,
      write(text) {
        written.stderr += text;
      },
    },
    clock: clock.now,
    wait: async (milliseconds) => {
      clock.advance(milliseconds);
      await onWait?.();
    },
    openBrowser: (url) => void opened.push(url),
    onStop: () => () => {},
  };
  const code = await run(host);
  return { code, ...written, opened };
}
