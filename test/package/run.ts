import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program to its end and gives its standard output; what it said on both goes into the error of a failure. */
export async function run(program: string, args: readonly string[], cwd: string, env = {}): Promise<string> {
  // Under `npm test` the variables of that npm would steer the one started here.
  const outer = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS$|VITEST)/i.test(name));
  try {
    const { stdout } = await execute(program, args, {
      cwd,
      env: { ...Object.fromEntries(outer), ...env },
      maxBuffer: 64 << 20,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed in ${cwd}\n${stdout}\n${stderr}`);
  }
}

/**
 * Runs a script in a project, as a file of its own there.
 *
 * @param extension `cjs` or `mjs`: what decides how Node reads it.
 * @param options.flags Node's own, before the script.
 */
export async function runScript(
  project: string,
  extension: 'cjs' | 'mjs',
  code: string,
  options: { readonly flags?: readonly string[]; readonly env?: Record<string, string> } = {},
): Promise<string> {
  const file = join(project, `${randomUUID()}.${extension}`);
  await writeFile(file, code);
  try {
    return await run(process.execPath, [...(options.flags ?? []), file], project, options.env);
  } finally {
    await rm(file);
  }
}
