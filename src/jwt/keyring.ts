import type { PrivateJwk } from './keys.js';

/** A signing key and when it signs. Times are epoch milliseconds. */
export interface RingKey {
  readonly jwk: PrivateJwk;
  readonly createdAt: number;
  /** From then on it signs, until the next one's time comes. Before, it is only published. */
  readonly signsFrom: number;
}

/** The signing keys of one issuer, in the order in which they sign. Never empty. */
export interface Ring {
  /** The longest life, in milliseconds, of any token that was signed with one of these. Never gets shorter. */
  readonly longestLife: number;
  readonly keys: readonly RingKey[];
}

/** When keys are replaced. Milliseconds. */
export interface Rotation {
  readonly every: number;
  /** For how long a key is published before it signs. */
  readonly overlap: number;
}

/** How far the clocks of the processes that share a ring may be apart. */
const CLOCK_MARGIN = 300_000;
/**
 * Keys that a ring holds, at most. Those that are retired are dropped by their number, not by their age: a clock that
 * jumped ahead would take a key for old whose tokens are alive.
 */
const MAX_KEYS = 8;

/**
 * Which key signs: of those whose time has come, the last; where the clock was set back before all of them, the first.
 */
export function signingKey(ring: Ring, now: number): RingKey {
  return ring.keys.findLast(({ signsFrom }) => signsFrom <= now) ?? (ring.keys[0] as RingKey);
}

/**
 * The keys to verify with: the one that signs, those that will, and those that did, until the last token that each of them
 * signed has expired.
 */
export function publishedKeys(ring: Ring, now: number): readonly RingKey[] {
  return ring.keys.filter((_, index) => {
    const successor = ring.keys[index + 1];
    return successor === undefined || now < successor.signsFrom + ring.longestLife + CLOCK_MARGIN;
  });
}

/** The key that signs next, where there is one already. One that a clock far ahead has planned is none. */
export function pendingKey(ring: Ring, now: number, { every, overlap }: Rotation): RingKey | null {
  const next = ring.keys.find(({ signsFrom }) => signsFrom > now);
  const current = signingKey(ring, now);
  if (next === undefined || next === current) return null;
  return next.signsFrom <= Math.max(current.signsFrom + every, now + overlap) ? next : null;
}

/** Whether it is time to make the next key. */
export function isRotationDue(ring: Ring, now: number, rotation: Rotation): boolean {
  const { signsFrom } = signingKey(ring, now);
  // One whose time is further off than any was ever planned: a clock that was ahead has made it.
  if (signsFrom > now + rotation.every) return true;
  return now >= signsFrom + rotation.every - rotation.overlap && pendingKey(ring, now, rotation) === null;
}

/** When a key that is made now begins to sign: not before it was published for the overlap, nor before its time. */
export function nextStart(ring: Ring, now: number, { every, overlap }: Rotation): number {
  const { signsFrom } = signingKey(ring, now);
  return signsFrom > now ? now + overlap : Math.max(signsFrom + every, now + overlap);
}

/** The ring with one more key. What has long ceased to sign makes room for it. */
export function withKey(ring: Ring, key: RingKey, now: number): Ring {
  const keys = [...ring.keys, key].sort((a, b) => a.signsFrom - b.signsFrom);
  const published = publishedKeys({ ...ring, keys }, now);
  const retired = keys.filter((each) => !published.includes(each));
  const room = Math.max(0, MAX_KEYS - published.length);
  const kept = [...retired.slice(retired.length - Math.min(room, retired.length)), ...published];
  return { ...ring, keys: kept.length > MAX_KEYS ? withoutStrays(kept, key) : kept };
}

/** Without those furthest ahead, which only a clock that jumped time and again can have planned. */
function withoutStrays(keys: readonly RingKey[], key: RingKey): readonly RingKey[] {
  const kept = keys.slice(0, MAX_KEYS);
  return kept.includes(key) ? kept : [...kept.slice(0, -1), key];
}
