import assert from 'node:assert/strict';
import type { Change, ChangeType } from '../../ports/changes.js';
import type {
  FoundToken,
  NewSecret,
  SecretKey,
  StoredEndpoint,
  StoredEntry,
  StoredSecret,
  StoredToken,
  TokenFacts,
  Usage,
} from '../../ports/records.js';
import type { Store } from '../../ports/store.js';

/** A requirement on a store, with its test. The store is empty at the start. */
export type StoreCase = readonly [title: string, run: (store: Store) => Promise<void>];

/** 2026-01-01T00:00:00Z in epoch milliseconds. */
export const T0 = Date.UTC(2026, 0, 1);

/** The same as a day. */
export const DAY0 = T0 / 86_400_000;

/** A token as postern would write it, with the given fields. */
export function aToken(id: string, fields: Partial<StoredToken> = {}): StoredToken {
  return {
    id,
    organization: 'acme',
    owner: 'ada',
    ownership: 'personal',
    name: `token ${id}`,
    description: '',
    types: '{"developer":{"scopes":["models:read"]}}',
    typeNames: ['developer'],
    metadata: '{}',
    hint: 'pst_abcd',
    limits: null,
    createdAt: T0,
    updatedAt: T0,
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
    version: 1,
    ...fields,
  };
}

/** A digest of the right form, another one for each text. */
export function aDigest(text: string): string {
  return [...text]
    .map((character) => (character.codePointAt(0) as number).toString(16).padStart(6, '0'))
    .join('')
    .padStart(64, '0')
    .slice(-64);
}

/** A secret without a key, unless one is given. */
export function aSecret(text: string, fields: Partial<NewSecret> = {}): NewSecret {
  return { digest: aDigest(text), pepper: null, createdAt: T0, endsAt: null, key: null, ...fields };
}

/** A written secret as a lookup returns it: without its key. */
export function asRead({ key: _, ...secret }: NewSecret): StoredSecret {
  return secret;
}

/** A lookup's answer, as it must be for this token and this secret: a store may return more than the facts. */
export function assertFound(found: FoundToken | null, token: StoredToken, { digest, endsAt }: NewSecret): void {
  assert.deepEqual(found && factsOf(found.token), factsOf(token));
  assert.deepEqual([found?.secret.digest, found?.secret.endsAt], [digest, endsAt]);
}

export function factsOf(token: TokenFacts): TokenFacts {
  const { id, organization, owner, ownership, types, limits, expiresAt, revokedAt } = token;
  return { id, organization, owner, ownership, types, limits, expiresAt, revokedAt };
}

/** A key of the right form, another one for each text. */
export function aKey(text: string): SecretKey {
  return { id: aKeyId(text), publicKey: `${aDigest(text).slice(-42)}A` };
}

export function aKeyId(text: string): string {
  return aDigest(`${text}#`);
}

export function anEntry(id: string, fields: Partial<StoredEntry> = {}): StoredEntry {
  return { kind: 'login', id, value: `value of ${id}`, expiresAt: null, version: 1, ...fields };
}

export function anEndpoint(id: string, fields: Partial<StoredEndpoint> = {}): StoredEndpoint {
  const { organization = 'acme' } = fields;
  return {
    uid: `uid of ${organization}/${id}`,
    organization,
    id,
    access: 'protected',
    createdAt: T0,
    updatedAt: T0,
    version: 1,
    ...fields,
  };
}

let changes = 0;

/** A change as postern would write it, with an id of its own. */
export function aChange(
  type: ChangeType,
  subject: string,
  organization = 'acme',
  fields: Partial<Change> = {},
): Change {
  return {
    id: aChangeId(`c${++changes}`),
    type,
    at: T0,
    actor: { kind: 'application' },
    from: null,
    organization,
    subject,
    before: null,
    after: null,
    ...fields,
  };
}

/** An id of the right form that begins with this text: 22 characters. */
export function aChangeId(start: string): string {
  return start.padEnd(22, 'x');
}

export function aUsage(tokenId: string, lastUsedAt: number, counts: Readonly<Record<string, number>> = {}): Usage {
  return {
    tokenId,
    lastUsedAt,
    counts: Object.entries(counts).map(([endpoint, count]) => ({ day: DAY0, endpoint, scope: '', count })),
  };
}

/** Writes one token. */
export async function insertToken(
  store: Store,
  token: StoredToken,
  secret: NewSecret,
  change: Change,
): Promise<boolean> {
  const [written, ...others] = await store.insertTokens([{ token, secret, change }]);
  assert.equal(others.length, 0);
  return written as boolean;
}

/** Removes one token. */
export async function deleteToken(
  store: Store,
  id: string,
  change: Change,
  expectedVersion: number | null = null,
): Promise<boolean> {
  const [removed, ...others] = await store.deleteTokens([{ id, expectedVersion, change }]);
  assert.equal(others.length, 0);
  return removed as boolean;
}

/** Inserts a token with one secret of the same name, and asserts success. */
export async function insert(store: Store, token: StoredToken, secret = aSecret(token.id)): Promise<StoredToken> {
  const written = await insertToken(store, token, secret, aChange('token.created', token.id, token.organization));
  assert.equal(written, true, `insertToken(${token.id})`);
  return token;
}

export async function insertAll(store: Store, tokens: readonly StoredToken[]): Promise<void> {
  for (const token of tokens) await insert(store, token);
}

/** The next version of a token, with the given fields. */
export function next(token: StoredToken, fields: Partial<StoredToken> = {}): StoredToken {
  return { ...token, updatedAt: token.updatedAt + 1, version: token.version + 1, ...fields };
}

export function replace(store: Store, token: StoredToken, expectedVersion: number): Promise<boolean> {
  return store.replaceToken(token, expectedVersion, null, aChange('token.updated', token.id, token.organization));
}

/** The number of answers that are `true`. */
export function wins(answers: readonly boolean[]): number {
  for (const answer of answers) assert.equal(typeof answer, 'boolean');
  return answers.filter(Boolean).length;
}
