import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Postern } from '../../instance/create-postern.js';
import type { StoredEntry } from '../../ports/records.js';
import type { Store } from '../../ports/store.js';
import { CliError } from '../failure.js';

const KIND = 'bootstrap';
const ID = 'default';
/** A process that has begun and not finished by then is taken for dead, in milliseconds. */
const PATIENCE = 60_000;

/** What the entry says of the bootstrap token: `making` while a process is at it, then `made`. */
interface State {
  readonly state: 'making' | 'made';
  readonly since: number;
}

export interface BootstrapOptions {
  readonly postern: Postern;
  readonly store: Store;
  readonly organization: string;
  /** Where the secret goes, in a new file of mode 0600; `null`: to `show`. */
  readonly file: string | null;
  readonly show: (token: string) => void;
  readonly clock: () => number;
}

/**
 * On an empty store: one developer token with every scope, shown once, to begin with. Resolves with whether this process made it.
 *
 * Exactly one is made whatever starts at once, on however many machines: who writes the entry (compare-and-swap) makes it.
 * A process that dies on the way leaves a claim that another takes over after a minute; should the first be merely slow, its
 * claim is gone when it wants to finish, and it takes its own token back unseen. A store that was emptied again is empty.
 *
 * @throws CliError where the file can't be written: then there is no token, and the next start makes it
 */
export async function bootstrap({ file, show, ...options }: BootstrapOptions): Promise<boolean> {
  const { store, clock } = options;
  const claim = await claimFrom(store, clock());
  if (claim === null) return false;
  try {
    const token = file === null ? await make(options, claim, null) : await makeInto(file, options, claim);
    if (token !== null && file === null) show(token);
    return token !== null;
  } catch (error) {
    // The next start begins anew, and need not wait.
    await store.deleteEntry(KIND, ID, claim.version, clock()).catch(() => {});
    throw error;
  }
}

type Making = Pick<BootstrapOptions, 'postern' | 'store' | 'organization' | 'clock'>;

/** The token, once it counts; `null` where another process has taken over: then it is gone again. */
async function make(
  { postern, store, organization, clock }: Making,
  claim: StoredEntry,
  output: FileHandle | null,
): Promise<string | null> {
  const { token, record } = await postern.tokens.create({
    name: 'bootstrap',
    description: 'Made by postern serve on an empty store.',
    types: { developer: { scopes: ['*'] } },
    organization,
    owner: 'admin',
  });
  let counts = false;
  try {
    // On disk before it counts: a token that nobody can read would lock everyone out.
    await output?.writeFile(`${token}\n`);
    await output?.sync();
    const made = entry({ state: 'made', since: clock() }, claim.version + 1);
    counts = await store.putEntry(made, claim.version, clock());
  } finally {
    if (!counts) await postern.tokens.delete(record.id);
  }
  return counts ? token : null;
}

async function makeInto(path: string, making: Making, claim: StoredEntry): Promise<string | null> {
  const output = await openNew(path);
  let token: string | null = null;
  try {
    token = await make(making, claim, output);
  } finally {
    await output.close();
    if (token === null) await rm(path, { force: true });
  }
  return token;
}

/** The claim, where this process is the one to make the token. */
async function claimFrom(store: Store, now: number): Promise<StoredEntry | null> {
  const found = await store.findEntry(KIND, ID, now);
  const version = found?.version ?? 0;
  if (found !== null) {
    const { state, since } = JSON.parse(found.value) as State;
    if (state === 'making' && since + PATIENCE > now) return null;
  }
  // Looked at after the entry: where one was made, it is listed, or was deleted since and the store is empty again.
  if ((await store.listTokens({ organization: null, limit: 1 })).length > 0) return null;
  const claim = entry({ state: 'making', since: now }, version + 1);
  return (await store.putEntry(claim, version, now)) ? claim : null;
}

function entry(state: State, version: number): StoredEntry {
  return { kind: KIND, id: ID, value: JSON.stringify(state), expiresAt: null, version };
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError(
      code === 'EEXIST'
        ? `the bootstrap token can't be written: there is a file ${path} already; move it away, or name another`
        : `the bootstrap token can't be written to ${path} (${code ?? 'failed'}): name a file in a folder that you may write to`,
      undefined,
      { cause: error },
    );
  }
}
