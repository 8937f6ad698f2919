import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from './failure.js';

/** A lock that is this old was left by a process that died. Milliseconds. */
const LEFT_BEHIND = 10_000;
const PATIENCE = 30_000;
const PAUSE = 20;

/**
 * Does some work on a file while no other process of ours does. The lock is a file beside it.
 *
 * @throws CliError if the lock can't be made, or stays held for 30 seconds
 */
export async function locked<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  const begun = Date.now();
  while (!(await taken(lock))) {
    if (Date.now() - begun > PATIENCE) throw new CliError(`${lock} is held by another command. Remove it if none runs`);
    await removeLeftBehind(lock);
    await sleep(PAUSE);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    await mkdir(dirname(lock), { recursive: true, mode: 0o700 });
    await (await open(lock, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    const { code = 'failed' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new CliError(
      `${lock} can't be written (${code}). Make its folder writable, or name another file in POSTERN_CONFIG`,
      undefined,
      { cause: error },
    );
  }
}

/** Of several processes that see an old lock one moves it away. */
async function removeLeftBehind(lock: string): Promise<void> {
  try {
    if (Date.now() - (await stat(lock)).mtimeMs < LEFT_BEHIND) return;
    const aside = `${lock}.${randomUUID()}`;
    await rename(lock, aside);
    // Another process may have been faster, and this is its own lock.
    if (Date.now() - (await stat(aside)).mtimeMs < LEFT_BEHIND) await link(aside, lock);
    await rm(aside, { force: true });
  } catch {
    // Its holder, or another process, removed it.
  }
}
