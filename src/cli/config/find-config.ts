import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CliError, usageError } from '../failure.js';

const NAMES = ['ts', 'mts', 'js', 'mjs', 'cjs'].map((ending) => `postern.config.${ending}`);

/**
 * The path of the application's configuration: the named file; else `postern.config.…` in the working directory or above it, up to
 * the root of the repository (or of the package, if there is no repository). `null`: there is none.
 *
 * @throws CliError if the named file is missing, if a folder has two, or if a found one belongs to another user
 */
export function findConfig(named: string | undefined, here = resolve('.')): string | null {
  if (named !== undefined) {
    const path = resolve(named);
    if (existsSync(path)) return path;
    throw usageError(`there is no file ${path}. Correct --config`);
  }
  for (const folder of upward(here)) {
    const found = NAMES.map((name) => join(folder, name)).filter((path) => existsSync(path));
    if (found.length > 1) throw usageError(`${found.join(' and ')} are two configurations. Name one with --config`);
    const [path] = found;
    if (path === undefined) continue;
    if (folder !== here) assertOwn(path);
    return path;
  }
  return null;
}

/** The folder and those above it, up to the root. Without a root it is the folder alone. */
function upward(folder: string): readonly string[] {
  const folders = [folder];
  for (let at = dirname(folder); at !== folders.at(-1); at = dirname(at)) folders.push(at);
  const first = (name: string) => folders.findIndex((each) => existsSync(join(each, name)));
  const repository = first('.git');
  const root = repository >= 0 ? repository : first('package.json');
  return folders.slice(0, Math.max(root, 0) + 1);
}

/** The file is run. Above the working directory, such as in /tmp, anyone may have put it. */
function assertOwn(path: string): void {
  const self = process.getuid?.();
  const { uid } = statSync(path);
  if (self === undefined || uid === self || uid === 0) return;
  throw new CliError(`${path} belongs to another user, and is not run: if you trust it, name it with --config`);
}
