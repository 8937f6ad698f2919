import type { SecretKey, StoredSecret, StoredToken } from '../../ports/records.js';
import { Listing } from './keys.js';

/** Means `null` in a line that otherwise holds a number. */
export const NONE = '-';

/**
 * A token as text: one line for each field that a revocation changes, then the rest as JSON. A script writes the version before
 * it; the last use is written separately. Scripts never read the JSON, because Lua reads some numbers and texts differently.
 */
export function writeToken(token: StoredToken): string {
  const { id, organization, owner, ownership, name, description, types, typeNames, metadata, hint, limits } = token;
  const { createdAt, updatedAt, expiresAt, revokedAt } = token;
  const record = JSON.stringify({
    id,
    organization,
    owner,
    ownership,
    name,
    description,
    types,
    typeNames,
    metadata,
    hint,
    limits,
    createdAt,
    expiresAt,
  });
  return `${updatedAt}\n${revokedAt ?? NONE}\n${record}`;
}

/**
 * The places of a token in the listings: members without the id at their end, with tabs between them (JSON escapes tabs).
 *
 * @throws RangeError for a time that is not a whole number
 */
export function indexParts({ organization, owner, ownership, createdAt, expiresAt }: StoredToken): string {
  const newest = [Listing.all, Listing.ofOrganization(organization), Listing.ofOwnership(organization, ownership)];
  if (owner !== null) newest.push(Listing.ofOwner(organization, owner));
  const expiring = expiresAt === null ? [] : [Listing.expiring, Listing.expiringOf(organization)];
  return [
    ...newest.map((listing) => listing.at(createdAt)),
    ...expiring.map((listing) => listing.at(expiresAt as number)),
  ].join('\t');
}

/** `null` for a damaged record. */
export function readToken(stored: string, used: unknown): StoredToken | null {
  try {
    const [version, , , updatedAt, revokedAt, json] = stored.split('\n', 6);
    const record = JSON.parse(json as string) as StoredToken;
    if (typeof record !== 'object' || record === null || !Array.isArray(record.typeNames)) return null;
    return {
      ...record,
      updatedAt: Number(updatedAt),
      revokedAt: revokedAt === NONE ? null : Number(revokedAt),
      lastUsedAt: typeof used === 'string' ? Number(used) : null,
      version: Number(version),
    };
  } catch {
    return null;
  }
}

/** Stands for a record that can't be read. Reading its fields fails as damaged. */
export function damagedToken(id: string, createdAt = Number.NaN): StoredToken {
  return { id, createdAt, typeNames: [], name: '', description: '' } as unknown as StoredToken;
}

export function writeSecret({ pepper, createdAt, endsAt }: StoredSecret, tokenId: string): string {
  return `${endsAt ?? NONE}\n${createdAt}\n${JSON.stringify(pepper)}\n${tokenId}`;
}

/** A damaged secret gets the end `NaN`, which its reader refuses. */
export function readSecret(digest: string, stored: string): StoredSecret {
  const [endsAt, createdAt, pepper] = stored.split('\n', 3) as [string, string, string];
  try {
    return {
      digest,
      pepper: JSON.parse(pepper) as string | null,
      createdAt: Number(createdAt),
      endsAt: endsAt === NONE ? null : Number(endsAt),
    };
  } catch {
    return { digest, pepper: null, createdAt: Number.NaN, endsAt: Number.NaN };
  }
}

/**
 * The scripts' arguments for a secret's key.
 *
 * @throws TypeError for an id that is not hexadecimal
 */
export function keyArgs(key: SecretKey | null): readonly [id: string, publicKey: string] {
  return key === null ? ['', ''] : [hexadecimal(key.id, "a key's id"), key.publicKey];
}

/** @throws TypeError for a digest that is not hexadecimal */
export function aDigest(digest: string): string {
  return hexadecimal(digest, 'a digest');
}

function hexadecimal(text: string, what: string): string {
  if (!/^[0-9a-fA-F]+$/.test(text)) throw new TypeError(`${what} is not hexadecimal`);
  return text;
}
