import type { AuditEntry, Grants } from '../../wire/types.js';
import { grantLines } from './grants.js';
import { inFull, titled } from './words.js';

const VERBS: Readonly<Record<string, string>> = {
  'token.created': 'Created token',
  'token.imported': 'Imported token',
  'token.updated': 'Updated token',
  'token.rotated': 'Rotated token',
  'token.revoked': 'Revoked token',
  'token.deleted': 'Deleted token',
  'token.pruned': 'Cleared away token',
  'endpoint.created': 'Created endpoint',
  'endpoint.updated': 'Updated endpoint',
  'endpoint.deleted': 'Deleted endpoint',
};

export const CHANGE_TYPES: readonly string[] = Object.keys(VERBS);

/** `token.created` → `Created token`. A kind of a later version is shown by its name. */
export function verbOf(type: string): string {
  return VERBS[type] ?? titled(type.replace('.', ' '));
}

export interface FieldChange {
  readonly label: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Fields that every change touches. */
const NOISE: ReadonlySet<string> = new Set(['updatedAt', 'updated_at', 'lastUsedAt', 'last_used_at']);

/** The fields that an update changed. None for creations and deletions. */
export function changesOf({ before, after }: AuditEntry): readonly FieldChange[] {
  if (!isRecord(before) || !isRecord(after)) return [];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !NOISE.has(key));
  return keys
    .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
    .map((key) => ({ label: labelOf(key), before: inWords(key, before[key]), after: inWords(key, after[key]) }));
}

function labelOf(key: string): string {
  return titled(key.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase());
}

function inWords(key: string, value: unknown): string | null {
  if (value === undefined) return null;
  if (value === null) return 'none';
  if (value === '') return 'empty';
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? inFull(new Date(value)) : value;
  if (key === 'types' && isGrants(value)) {
    return grantLines(value)
      .map(({ type, words }) => `${type}: ${words}`)
      .join('; ');
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function isGrants(value: unknown): value is Grants {
  const isGrant = (grant: unknown) =>
    isRecord(grant) && (Array.isArray(grant.scopes) || grant.endpoints === '*' || Array.isArray(grant.endpoints));
  return isRecord(value) && Object.values(value).every(isGrant);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
