import { execFile } from 'node:child_process';
import { HOST, INSIDE } from '../servers/serving.js';
import { payloadOf, TARGETS } from '../targets.js';
import type { Client } from './client.js';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real curl. */
export function curlClient(port: number): Client {
  return {
    transport: 'curl',
    protocol: 'http',
    async call({ tokens, target, inside }) {
      const { method, path } = TARGETS[target];
      const { stdout } = await run('curl', [
        '--silent',
        ...['--noproxy', '*', '--max-time', '10', '--output', '/dev/null', '--write-out', '%{http_code}'],
        ...(inside ? ['--interface', INSIDE] : []),
        ...tokens.flatMap((token) => ['--header', `Authorization: Bearer ${token}`]),
        ...(method === 'POST'
          ? ['--header', 'Content-Type: application/json', '--data', JSON.stringify(payloadOf(target))]
          : []),
        `http://${HOST}:${port}${path}`,
      ]);
      return { ok: stdout.startsWith('2'), status: stdout };
    },
  };
}

/** Debian's Python with grpcio, running the file that the demo wrote for the reader. It sends one token at most, from outside. */
export function pythonClient(python: string, file: string): Client {
  return {
    transport: 'python grpc',
    protocol: 'grpc',
    async call({ tokens, target }) {
      const { code, stderr } = await run(python, [file, tokens[0] ?? '', TARGETS[target].grpc]);
      // It ends with `<STATUS>: <details>` on its error stream.
      return code === 0 ? { ok: true, status: 'OK' } : { ok: false, status: /^(\w+): /m.exec(stderr)?.[1] ?? stderr };
    },
  };
}

/** The first Python that has grpcio, or `null`. Debian's package is seen by Debian's own Python only. */
export async function findPython(): Promise<string | null> {
  for (const python of ['/usr/bin/python3', 'python3']) {
    if ((await run(python, ['-c', 'import grpc'])).code === 0) return python;
  }
  return null;
}

export async function hasCurl(): Promise<boolean> {
  return (await run('curl', ['--version'])).code === 0;
}

/** Runs a program to its end; one that is not there ends with a code too. */
function run(program: string, args: readonly string[]): Promise<Outcome> {
  // A proxy for the internet has no part in calls on this machine.
  const env = { ...process.env, no_proxy: '*', no_grpc_proxy: '127.0.0.1,localhost' };
  return new Promise((resolve) => {
    const child = execFile(program, args, { env, timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 127;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.end();
  });
}
