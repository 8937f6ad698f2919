import { CHANGE_TYPES } from '../../../../ports/changes.js';
import type { AuditPage } from '../../../wire/types.js';
import { call } from '../api.js';

/** The changes that a person asks for. It is in the address, so it survives a reload and can be shared. */
export interface Asked {
  /** A kind of change; empty: all. */
  readonly type: string;
  /** The whole id of a token or an endpoint; empty: all. */
  readonly subject: string;
  /** The whole name of an owner, the id of a token, or `application`; empty: anyone. */
  readonly actor: string;
  /** `2026-11-30`, in the person's time zone; empty: any. */
  readonly from: string;
  /** The last day. */
  readonly to: string;
}

export const ANYTHING: Asked = { type: '', subject: '', actor: '', from: '', to: '' };
export const PAGE_SIZE = 50;

export function askedIn({ search }: Location): Asked {
  const query = new URLSearchParams(search);
  const type = CHANGE_TYPES.find((each) => each === query.get('type')) ?? '';
  const text = (name: string) => query.get(name) ?? '';
  return { type, subject: text('subject'), actor: text('actor'), from: text('from'), to: text('to') };
}

export function addressOf(asked: Asked): string {
  const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== ''));
  return query.size === 0 ? location.pathname : `${location.pathname}?${query}`;
}

export const isAsked = (asked: Asked) => Object.values(asked).some((value) => value !== '');

/** A page of the changes, newest first, found by the server. */
export function readChanges({ type, subject, actor, from, to }: Asked, cursor: string | null, signal: AbortSignal) {
  const query = { count: PAGE_SIZE, cursor, type, subject, actor, since: startOf(from), until: startOf(to, 1) };
  return call<AuditPage>('GET', 'api/v1/audit', { query, signal });
}

/** The first moment of a day, or of one after it. `null` for no day, and for one whose year is still being typed. */
function startOf(day: string, later = 0): string | null {
  const start = new Date(`${day}T00:00:00`);
  if (Number.isNaN(start.getTime()) || start.getFullYear() < 1970) return null;
  start.setDate(start.getDate() + later);
  return start.toISOString();
}
