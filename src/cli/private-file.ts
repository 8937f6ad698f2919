import { type FileHandle, open } from 'node:fs/promises';
import { CliError } from './failure.js';

/**
 * Makes a file that nobody else may read: it gets a secret. A file that is there is never written over.
 *
 * @param says the errors: for a name that is taken, and for anything else, with its code
 */
export async function newPrivateFile(
  path: string,
  says: { readonly taken: string; readonly failed: (code: string) => string },
): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    const { code = 'failed' } = error as NodeJS.ErrnoException;
    throw new CliError(code === 'EEXIST' ? says.taken : says.failed(code), undefined, { cause: error });
  }
}
