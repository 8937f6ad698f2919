import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type VerifyHopOptions, verifyHop } from 'postern/jwt';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { PYTHON, requireTool } from '../support/tools.js';
import { serve } from '../transports/support.js';
import { makeVectors, type Vectors } from './hop-vectors.js';

const EXAMPLES = fileURLToPath(new URL('../../examples/upstream', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));

let table: Vectors;
let expected: readonly string[];

beforeAll(async () => {
  table = await makeVectors();
  expected = table.vectors.filter(({ accepted }) => accepted).map(({ name }) => name);
});

it('TypeScript accepts exactly the good hops', async () => {
  const { issuer, audience, jwks, vectors } = table;
  const accepted: string[] = [];
  for (const { name, hop, method, target, now } of vectors) {
    const options: VerifyHopOptions = { issuer, audience, jwks, clock: () => now * 1000 };
    // As `node:http` has it: `Headers` would trim the value.
    const caller = await verifyHop({ method, url: target, headers: { 'postern-identity': hop } }, options);
    if (caller !== null) accepted.push(name);
  }
  expect(accepted).toEqual(expected);
});

it('Python accepts the same', async () => {
  requireTool('PyJWT for Python');
  expect(await run(PYTHON, [join(HERE, 'vectors.py'), EXAMPLES], {})).toEqual(expected);
});

it('Go accepts the same', async () => {
  requireTool('Go');
  const folder = await mkdtemp(join(tmpdir(), 'postern-go-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'posternhop'));
  await copyFile(join(EXAMPLES, 'posternhop.go'), join(folder, 'posternhop', 'posternhop.go'));
  await copyFile(join(HERE, 'vectors.go'), join(folder, 'main.go'));
  await writeFile(join(folder, 'go.mod'), 'module test\n\ngo 1.19\n');
  const env = { GOTOOLCHAIN: 'local', GOPROXY: 'off', GOFLAGS: '-mod=mod' };
  expect(await run('go', ['run', '-gcflags=all=-N -l', '.'], { cwd: folder, env: { ...process.env, ...env } })).toEqual(
    expected,
  );
  // The first time, Go compiles its library.
}, 600_000);

/**
 * The names that a program prints for the vectors, with the keys at an address that has them with every second answer only: a key that
 * is newer than the known ones is found at once.
 */
async function run(
  program: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv },
): Promise<unknown> {
  let asked = 0;
  const port = await serve((_request, response) => {
    response.end(JSON.stringify(asked++ % 2 === 0 ? { keys: [] } : table.jwks));
  });
  const child = spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(JSON.stringify({ ...table, jwksUrl: `http://127.0.0.1:${port}/` }));
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${errors}`);
  return JSON.parse(output);
}
