import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { Written } from './written.js';

export interface Ended {
  /** `null` after a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Resolves once the output matches, and rejects if the command ends before. */
  until(pattern: RegExp, stream?: 'stdout' | 'stderr'): Promise<RegExpExecArray>;
  signal(signal: NodeJS.Signals): void;
  /** Types on its terminal, or writes to its stdin. */
  type(text: string): void;
}

export interface Start {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Its piped input. Default: empty. */
  readonly input?: string;
  /** Its working directory. Default: the command's folder. */
  readonly cwd?: string;
  /** Keeps its stdin open and empty. */
  readonly hold?: boolean;
  /** Runs it on a terminal with `script`, which joins stdout and stderr. */
  readonly terminal?: boolean;
}

/** The real command in its own processes, in a folder for each test file. */
export function theCommand() {
  const running = new Set<ChildProcess>();
  let home = '';

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'postern-cli-'));
    for (const name of ['dist', 'package.json']) await symlink(join(inject('command'), name), join(home, name));
  });

  afterEach(async () => {
    await Promise.all(
      [...running].map((child) => {
        child.kill('SIGKILL');
        return once(child, 'close');
      }),
    );
  });

  afterAll(() => rm(home, { recursive: true, force: true }));

  function start(
    args: readonly string[],
    { env = {}, input, cwd = home, hold = false, terminal = false }: Start = {},
  ): Running {
    const line = [process.execPath, '--disable-warning=ExperimentalWarning', join(home, 'dist/cli.js'), ...args];
    const [file, ...rest] = terminal
      ? ['script', '-qefc', `stty cols 120; exec ${line.map(quoted).join(' ')}`, '/dev/null']
      : line;
    const child = spawn(file as string, rest, {
      cwd,
      env: {
        PATH: process.env.PATH,
        HOME: home,
        POSTERN_CONFIG: join(home, 'config.yaml'),
        ...env,
      } as NodeJS.ProcessEnv,
      stdio: [input === undefined && !terminal && !hold ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    running.add(child);
    if (input !== undefined) child.stdin?.end(input);
    const written = new Written();
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (text: string) => written.add(name, text));
    const ended = once(child, 'close').then(([code]) => {
      running.delete(child);
      return { code: code as number | null, ...written.text };
    });
    return {
      pid: child.pid as number,
      ended,
      signal: (signal) => void child.kill(signal),
      type: (text) => void child.stdin?.write(text),
      until: (pattern, stream = 'stdout') => written.until(pattern, stream, ended),
    };
  }

  return {
    start,
    run: (args: readonly string[], options?: Start): Promise<Ended> => start(args, options).ended,
    /** A path in the command's folder. */
    path: (name: string) => join(home, name),
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
