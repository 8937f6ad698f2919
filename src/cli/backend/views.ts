import type { Inspection, TokenView } from './backend.js';

/** The inspection of an invalid credential. It has only a reason. */
export const NOT_ACTIVE: Omit<Inspection, 'reason'> = {
  active: false,
  uid: null,
  owner: null,
  organization: null,
  scopes: [],
  endpoints: [],
  dead_endpoints: [],
  limits: [],
  expired_at: null,
};

/** A token is expired from the very instant of its expiry. */
export function statusOf(revoked: boolean, expiresAt: Date | null, now: number): TokenView['status'] {
  if (revoked) return 'revoked';
  return expiresAt !== null && expiresAt.getTime() <= now ? 'expired' : 'active';
}

/** Reads labels from their stored form, a list of `{ key, value }`. */
export function labelsOf(labels: unknown): Readonly<Record<string, string>> {
  const entries = (Array.isArray(labels) ? labels : []).map((label) => [String(label?.key), String(label?.value)]);
  return Object.fromEntries(entries);
}

export function labelList(
  labels: Readonly<Record<string, string>>,
): { readonly key: string; readonly value: string }[] {
  return Object.entries(labels).map(([key, value]) => ({ key, value }));
}
