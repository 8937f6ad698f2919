import type { AuditEntry, Grants, Session } from '../../../wire/types.js';
import { t } from '../i18n.js';
import { en, type MessageKey } from '../messages/en.js';
import { grantLines } from '../tokens/grants.js';
import { inFull, titled } from '../words.js';

/** The message of a kind of change. A kind of a later version has none. */
export function messageOf(type: string): MessageKey {
  const key = `audit.${type}`;
  return Object.hasOwn(en, key) ? (key as MessageKey) : 'audit.other';
}

/** `token.created` → `Created token` */
export function kindOf(type: string): string {
  return t(messageOf(type), { type: titled(type.replace('.', ' ')), name: '' }).trim();
}

export interface FieldChange {
  readonly label: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Fields that every change touches. */
const NOISE: ReadonlySet<string> = new Set(['updatedAt', 'updated_at', 'lastUsedAt', 'last_used_at']);

/** The fields that an update changed. None for creations and deletions. */
export function changesOf({ before, after }: AuditEntry, session: Session): readonly FieldChange[] {
  if (!isRecord(before) || !isRecord(after)) return [];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !NOISE.has(key));
  return keys
    .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
    .map((key) => ({
      label: titled(key.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()),
      before: inWords(key, before[key], session),
      after: inWords(key, after[key], session),
    }));
}

/** What a creation granted, a line for each token type. */
export function grantedBy({ before, after }: AuditEntry, session: Session): readonly string[] {
  if (isRecord(before) || !isRecord(after) || !isGrants(after.types)) return [];
  return linesOf(after.types, session);
}

export function nameIn(entry: AuditEntry): string | null {
  for (const record of [entry.after, entry.before]) {
    if (isRecord(record) && typeof record.name === 'string') return record.name;
  }
  return null;
}

function inWords(key: string, value: unknown, session: Session): string | null {
  if (value === undefined) return null;
  if (value === null) return t('audit.valueNone');
  if (value === '') return t('audit.valueEmpty');
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? inFull(new Date(value)) : value;
  if (key === 'types' && isGrants(value)) return linesOf(value, session).join('; ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function linesOf(grants: Grants, session: Session): string[] {
  return grantLines(session, grants).map(({ label, words }) => `${label}: ${words}`);
}

function isGrants(value: unknown): value is Grants {
  const isGrant = (grant: unknown) =>
    isRecord(grant) && (Array.isArray(grant.scopes) || grant.endpoints === '*' || Array.isArray(grant.endpoints));
  return isRecord(value) && Object.values(value).every(isGrant);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
