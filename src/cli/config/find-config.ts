import { existsSync, lstatSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CliError, usageError } from '../failure.js';

const NAMES = ['ts', 'mts', 'js', 'mjs', 'cjs'].map((ending) => `postern.config.${ending}`);

/**
 * The path of the application's configuration: the named file; else `postern.config.…` in the working directory or above it, up to
 * the root of the repository (or of the package, if there is no repository). `null`: there is none.
 *
 * @throws CliError if the named file is missing, if a folder has two, or if a found one may be of another user
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
    // Above the working directory, and where all may write (such as /tmp), anyone may have put it.
    if ((folder !== here || isOpenToAll(folder)) && !isOwn(path)) {
      throw new CliError(`${path} belongs to another user, and is not run: if you trust it, name it with --config`);
    }
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

/** Windows has no such mode bits. */
function isOpenToAll(folder: string): boolean {
  return process.getuid !== undefined && (statSync(folder).mode & 0o002) !== 0;
}

/** Whether a file that is to be run belongs to this user or to root. So must a link to it, because a link chooses the file. */
export function isOwn(path: string): boolean {
  const self = process.getuid?.();
  return self === undefined || [lstatSync(path), statSync(path)].every(({ uid }) => uid === self || uid === 0);
}
