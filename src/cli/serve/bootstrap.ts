import { type FileHandle, rm } from 'node:fs/promises';
import { type AnyTokenTypes, bentocloudTokenTypes, type TokenTypes } from '../../domain/token-types.js';
import type { Postern } from '../../instance/create-postern.js';
import type { CreateToken } from '../../managing/tokens-api.js';
import type { StoredEntry } from '../../ports/records.js';
import type { Store } from '../../ports/store.js';
import { newPrivateFile } from '../private-file.js';

const KIND = 'bootstrap';
const ID = 'default';
/** A process that has not finished after this time counts as dead, in milliseconds. */
const PATIENCE = 60_000;

/** The state of the bootstrap token: `making` while a process works on it, then `made`. */
interface State {
  readonly state: 'making' | 'made';
  readonly since: number;
}

type Grants = CreateToken<AnyTokenTypes>['types'];

export interface BootstrapOptions {
  readonly postern: Postern;
  readonly store: Store;
  readonly organization: string;
  readonly types: Grants;
  /** The path of a new file (mode 0600) for the secret; `null`: pass it to `show`. */
  readonly file: string | null;
  readonly show: (token: string) => void;
  readonly clock: () => number;
}

/**
 * Makes the first token of an empty store: a developer token with every scope, shown once. Resolves with whether this process made
 * it.
 *
 * However many processes start at once, on any number of machines, exactly one makes the token: the one whose compare-and-swap
 * writes the entry. If a process dies on the way, another takes over its claim after a minute. If the first was only slow, it
 * finds its claim gone and deletes its token unseen. A store that was emptied again counts as empty.
 *
 * @throws CliError if the file can't be written. Then there is no token, and the next start makes it
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
    // So that the next start need not wait.
    await store.deleteEntry(KIND, ID, claim.version, clock()).catch(() => {});
    throw error;
  }
}

type Making = Pick<BootstrapOptions, 'postern' | 'store' | 'organization' | 'types' | 'clock'>;

/** Makes the token; `null` if another process has taken over, and the token was deleted. */
async function make(
  { postern, store, organization, types, clock }: Making,
  claim: StoredEntry,
  output: FileHandle | null,
): Promise<string | null> {
  const { token, record } = await postern.tokens.create({
    name: 'bootstrap',
    description: 'Made by postern serve on an empty store.',
    types,
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
  const output = await newTokenFile(path);
  let token: string | null = null;
  try {
    token = await make(making, claim, output);
  } finally {
    await output.close();
    if (token === null) await rm(path, { force: true });
  }
  return token;
}

/** The claim to make the token; `null` if this process must not make it. */
async function claimFrom(store: Store, now: number): Promise<StoredEntry | null> {
  const found = await store.findEntry(KIND, ID, now);
  const version = found?.version ?? 0;
  if (found !== null) {
    const { state, since } = JSON.parse(found.value) as State;
    if (state === 'making' && since + PATIENCE > now) return null;
  }
  // Read after the entry: a token that was made is listed now, or was deleted since and the store is empty again.
  if ((await store.listTokens({ organization: null, limit: 1 })).length > 0) return null;
  const claim = entry({ state: 'making', since: now }, version + 1);
  return (await store.putEntry(claim, version, now)) ? claim : null;
}

/** Every scope of every type; of types without scopes, every endpoint. */
export function everyScope(types: TokenTypes = bentocloudTokenTypes): Grants {
  const all = Object.entries(types);
  const scoped = all.filter(([, { form }]) => form === 'scope_access');
  if (scoped.length > 0) return Object.fromEntries(scoped.map(([name]) => [name, { scopes: ['*'] }]));
  return Object.fromEntries(all.map(([name]) => [name, { endpoints: '*' }]));
}

function entry(state: State, version: number): StoredEntry {
  return { kind: KIND, id: ID, value: JSON.stringify(state), expiresAt: null, version };
}

function newTokenFile(path: string): Promise<FileHandle> {
  const place = "the bootstrap token can't be written";
  return newPrivateFile(path, {
    taken: `${place}, because the file ${path} exists already. Move it away, or name another`,
    failed: (code) => `${place} to ${path} (${code}). Name a file in a writable folder`,
  });
}
