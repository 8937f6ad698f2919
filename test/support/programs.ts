import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface ProgramOptions {
  /** The command of Node. Default: the one that runs this. */
  readonly node?: readonly string[];
  /** Node's own flags. */
  readonly flags?: readonly string[];
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stderr?: 'pipe' | 'inherit';
}

const built = new Map<string, string>();

/**
 * Starts a TypeScript file of the repository in a Node process of its own, with a channel for messages. It is bundled once
 * and given to Node's standard input, which takes a third of the time of tsx.
 *
 * @param file its path from the root
 */
export function startProgram(file: string, args: readonly string[] = [], options: ProgramOptions = {}): ChildProcess {
  const { node = [process.execPath], flags = [], env = {}, stderr = 'pipe' } = options;
  const [command = '', ...before] = node;
  const child = spawn(command, [...before, ...flags, '--input-type=module', '-', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env } as NodeJS.ProcessEnv,
    stdio: ['pipe', 'pipe', stderr, 'ipc'],
  });
  // A test may kill it before it has read its program.
  child.stdin?.on('error', () => {}).end(codeOf(file));
  return child;
}

/** Waits for the end of a program. The code is `null` after a signal. */
export async function endOf(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map((stream) => (stream === null ? '' : text(stream))),
  );
  const [code] = await ended;
  return { code, stdout: stdout ?? '', stderr: stderr ?? '' };
}

function codeOf(file: string): string {
  const known = built.get(file);
  if (known !== undefined) return known;
  const { outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [file],
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // A program finds its other files beside itself.
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(ROOT, file)).href) },
    write: false,
  });
  const code = outputFiles[0]?.text ?? '';
  built.set(file, code);
  return code;
}
