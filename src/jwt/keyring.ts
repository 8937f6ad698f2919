import type { PrivateJwk } from './keys.js';

/** A signing key with its times, in epoch milliseconds. */
export interface RingKey {
  readonly jwk: PrivateJwk;
  readonly createdAt: number;
  /** The key signs from this time until the next key's. Before, it is only published. */
  readonly signsFrom: number;
}

/** The signing keys of one issuer, in the order in which they sign. Never empty. */
export interface Ring {
  /** The longest life of any token that these keys have signed, in milliseconds. It never gets shorter. */
  readonly longestLife: number;
  readonly keys: readonly RingKey[];
}

/** The times of a rotation, in milliseconds. */
export interface Rotation {
  readonly every: number;
  /** A key is published this long before it signs. */
  readonly overlap: number;
}

/** The largest difference between the clocks of the processes that share a ring, in milliseconds. */
const CLOCK_MARGIN = 300_000;
/**
 * The most keys in a ring. Retired keys are dropped by number, not by age: a clock that jumped ahead would drop a key whose tokens
 * are still alive.
 */
const MAX_KEYS = 8;

/** The key that signs: the last whose time has come. If the clock was set back before all of them, the first. */
export function signingKey(ring: Ring, now: number): RingKey {
  return ring.keys.findLast(({ signsFrom }) => signsFrom <= now) ?? (ring.keys[0] as RingKey);
}

/**
 * The keys that verify: current and future signing keys, and earlier ones until the last token of each has expired.
 */
export function publishedKeys(ring: Ring, now: number): readonly RingKey[] {
  return ring.keys.filter((_, index) => {
    const successor = ring.keys[index + 1];
    return successor === undefined || now < successor.signsFrom + ring.longestLife + CLOCK_MARGIN;
  });
}

/** The key that signs next, or `null`. A key that a wrong clock has planned too far ahead does not count. */
export function pendingKey(ring: Ring, now: number, { every, overlap }: Rotation): RingKey | null {
  const next = ring.keys.find(({ signsFrom }) => signsFrom > now);
  const current = signingKey(ring, now);
  if (next === undefined || next === current) return null;
  return next.signsFrom <= Math.max(current.signsFrom + every, now + overlap) ? next : null;
}

/** Whether it is time to make the next key. */
export function isRotationDue(ring: Ring, now: number, rotation: Rotation): boolean {
  const { signsFrom } = signingKey(ring, now);
  // A key this far in the future was made by a clock that was ahead.
  if (signsFrom > now + rotation.every) return true;
  return now >= signsFrom + rotation.every - rotation.overlap && pendingKey(ring, now, rotation) === null;
}

/** The time from which a key made now signs: after the overlap at the earliest, and not before the current key's end. */
export function nextStart(ring: Ring, now: number, { every, overlap }: Rotation): number {
  const { signsFrom } = signingKey(ring, now);
  return signsFrom > now ? now + overlap : Math.max(signsFrom + every, now + overlap);
}

/** Adds a key to the ring. The oldest retired keys make room for it. */
export function withKey(ring: Ring, key: RingKey, now: number): Ring {
  const keys = [...ring.keys, key].sort((a, b) => a.signsFrom - b.signsFrom);
  const published = publishedKeys({ ...ring, keys }, now);
  const retired = keys.filter((each) => !published.includes(each));
  const room = Math.max(0, MAX_KEYS - published.length);
  const kept = [...retired.slice(retired.length - Math.min(room, retired.length)), ...published];
  return { ...ring, keys: kept.length > MAX_KEYS ? withoutStrays(kept, key) : kept };
}

/** Drops the keys furthest ahead. Only a clock that jumped repeatedly can have planned them. */
function withoutStrays(keys: readonly RingKey[], key: RingKey): readonly RingKey[] {
  const kept = keys.slice(0, MAX_KEYS);
  return kept.includes(key) ? kept : [...kept.slice(0, -1), key];
}
