import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

/** What the compiler says of a project: nothing where all is well. An unused `@ts-expect-error` is an error, too. */
async function diagnosticsOf(project: string): Promise<string> {
  const path = fileURLToPath(new URL(project, import.meta.url));
  const run = promisify(execFile)(process.execPath, [tsc, '--project', path, '--pretty', 'false']);
  return run.then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => `${stdout}${stderr}`,
  );
}

test.each([
  ['what must compile does, and what must not does not', './tsconfig.json'],
  ['a registered instance is known to the types that frameworks share', './.registered/tsconfig.json'],
  ['an application with a principal of its own on its requests compiles', './.own-principal/tsconfig.json'],
  ['the core touches neither Node nor a browser', './tsconfig.core.json'],
])('%s', { timeout: 120_000 }, async (_, project) => {
  expect(await diagnosticsOf(project)).toBe('');
});
