import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import type { Host } from '../../src/cli/host.js';
import type { Ended, Running } from './command.js';
import { Written } from './written.js';

/** What a command line is given. The rest of `Start` needs a process: a terminal, an open stdin. */
export interface StartHere {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Its piped input. Default: empty. */
  readonly input?: string;
  /** Its working directory, which all commands of this process share. Default: the command's folder. */
  readonly cwd?: string;
}

interface RunningHere extends Omit<Running, 'pid' | 'type'> {}

/**
 * The built command in this process, with its own output, environment and signals: what `theCommand` answers, without
 * the half second that a process takes to start. What belongs to a process needs `theCommand`: its end, its terminal,
 * its modules, races between several.
 */
export function theCommandHere() {
  const running = new Set<RunningHere>();
  const before = process.cwd();
  let home = '';
  let run: (host: Host) => Promise<number>;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'postern-here-'));
    ({ run } = await import(/* @vite-ignore */ join(inject('command'), 'dist/run.js')));
  });

  afterEach(() =>
    Promise.all(
      [...running].map((command) => {
        command.signal('SIGTERM');
        return command.ended;
      }),
    ),
  );

  afterAll(async () => {
    process.chdir(before);
    await rm(home, { recursive: true, force: true });
  });

  function start(args: readonly string[], { env = {}, input = '', cwd = home }: StartHere = {}): RunningHere {
    process.chdir(cwd);
    const written = new Written();
    const listeners = new Set<(signal: NodeJS.Signals) => void>();
    const stream = (name: 'stdout' | 'stderr') => ({ write: (text: string) => written.add(name, text) });
    const host: Host = {
      args,
      env: { PATH: process.env.PATH, HOME: home, POSTERN_CONFIG: join(home, 'config.yaml'), ...env },
      platform: process.platform,
      stdin: Readable.from(input === '' ? [] : [Buffer.from(input)]),
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      clock: Date.now,
      wait: sleep,
      openBrowser: (url) => {
        throw new Error(`no test of this process opens a browser: ${url}`);
      },
      onStop(listener) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
    const ended = run(host).then((code): Ended => {
      running.delete(command);
      return { code, ...written.text };
    });
    const command: RunningHere = {
      ended,
      signal(signal) {
        if (listeners.size === 0) throw new Error(`"${args.join(' ')}" does not listen for ${signal}: use theCommand`);
        for (const listener of [...listeners]) listener(signal);
      },
      until: (pattern, stream = 'stdout') => written.until(pattern, stream, ended),
    };
    running.add(command);
    return command;
  }

  return {
    start,
    run: (args: readonly string[], options?: StartHere): Promise<Ended> => start(args, options).ended,
    /** A path in the command's folder. */
    path: (name: string) => join(home, name),
  };
}
