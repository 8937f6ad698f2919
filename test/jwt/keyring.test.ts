import { expect, it } from 'vitest';
import {
  isRotationDue,
  nextStart,
  pendingKey,
  publishedKeys,
  type Ring,
  type RingKey,
  signingKey,
  withKey,
} from '../../src/jwt/keyring.js';
import { START } from '../support/outcomes.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const rotation = { every: 30 * DAY, overlap: DAY };

const key = (kid: string, signsFrom: number, createdAt = signsFrom): RingKey =>
  ({ jwk: { kid }, createdAt, signsFrom }) as unknown as RingKey;
const ring = (...keys: RingKey[]): Ring => ({ longestLife: HOUR, keys });
const kids = (keys: readonly RingKey[]) => keys.map(({ jwk }) => jwk.kid).join(' ');

it('signs with the last key whose time has come', () => {
  const both = ring(key('a', START), key('b', START + 30 * DAY));
  expect(signingKey(both, START).jwk.kid).toBe('a');
  expect(signingKey(both, START + 30 * DAY - 1).jwk.kid).toBe('a');
  expect(signingKey(both, START + 30 * DAY).jwk.kid).toBe('b');
});

it('signs with the first one where the clock was set back before all of them', () => {
  expect(signingKey(ring(key('a', START), key('b', START + DAY)), START - 900 * DAY).jwk.kid).toBe('a');
});

it('publishes a key until its last token has expired, and a margin for clocks that differ', () => {
  const both = ring(key('a', START), key('b', START + 30 * DAY));
  const last = START + 30 * DAY + HOUR;
  expect(kids(publishedKeys(both, last))).toBe('a b');
  expect(kids(publishedKeys(both, last + HOUR / 12 - 1))).toBe('a b');
  expect(kids(publishedKeys(both, last + HOUR / 12))).toBe('b');
});

it('wants the next key one overlap before it is to sign, once', () => {
  const one = ring(key('a', START));
  expect(isRotationDue(one, START + 29 * DAY - 1, rotation)).toBe(false);
  expect(isRotationDue(one, START + 29 * DAY, rotation)).toBe(true);
  expect(nextStart(one, START + 29 * DAY, rotation)).toBe(START + 30 * DAY);
  const both = withKey(one, key('b', START + 30 * DAY), START + 29 * DAY);
  expect(isRotationDue(both, START + 29 * DAY, rotation)).toBe(false);
  expect(pendingKey(both, START + 29 * DAY, rotation)?.jwk.kid).toBe('b');
  expect(pendingKey(both, START + 30 * DAY, rotation)).toBeNull();
});

it('gives a key its whole overlap where nobody looked in time', () => {
  const late = START + 100 * DAY;
  expect(isRotationDue(ring(key('a', START)), late, rotation)).toBe(true);
  expect(nextStart(ring(key('a', START)), late, rotation)).toBe(late + DAY);
});

it('goes on rotating beside a key that a clock far ahead has planned', () => {
  const far = START + 3650 * DAY;
  const both = ring(key('a', START), key('stray', far));
  expect(pendingKey(both, START + DAY, rotation)).toBeNull();
  expect(isRotationDue(both, START + DAY, rotation)).toBe(false);
  expect(isRotationDue(both, START + 29 * DAY, rotation)).toBe(true);
  const three = withKey(both, key('b', START + 30 * DAY), START + 29 * DAY);
  expect(kids(three.keys)).toBe('a b stray');
  expect(isRotationDue(three, START + 29 * DAY, rotation)).toBe(false);
  expect(signingKey(three, START + 31 * DAY).jwk.kid).toBe('b');
});

it('starts anew where the only key is one that a clock far ahead has made', () => {
  const stray = ring(key('stray', START + 3650 * DAY));
  expect(isRotationDue(stray, START, rotation)).toBe(true);
  const both = withKey(stray, key('a', nextStart(stray, START, rotation)), START);
  expect(isRotationDue(both, START, rotation)).toBe(false);
  expect(signingKey(both, START + DAY).jwk.kid).toBe('a');
});

it('holds eight keys at most, and never lets go of one that is published', () => {
  let held = ring(key('0', START));
  for (let turn = 1; turn <= 20; turn++) {
    const at = START + turn * 30 * DAY;
    held = withKey(held, key(String(turn), at), at - DAY);
    expect(held.keys.length).toBeLessThanOrEqual(8);
    expect(kids(publishedKeys(held, at - DAY))).toBe(`${turn - 1} ${turn}`);
  }
  expect(kids(held.keys)).toBe('13 14 15 16 17 18 19 20');
});

it('loses none of the keys of today to a clock that jumps ahead once, twice and three times', () => {
  let held = ring(key('a', START));
  for (const jump of [10, 20, 30]) {
    const then = START + jump * 365 * DAY;
    expect(isRotationDue(held, then, rotation)).toBe(true);
    held = withKey(held, key(`stray${jump}`, nextStart(held, then, rotation)), then);
  }
  expect(signingKey(held, START + HOUR).jwk.kid).toBe('a');
  expect(publishedKeys(held, START + HOUR)).toContain(held.keys[0]);
});

it('takes in a new key even beside eight that clocks far ahead have planned', () => {
  let held = ring(key('a', START));
  for (let index = 0; index < 9; index++)
    held = withKey(held, key(`stray${index}`, START + (400 + index) * DAY), START);
  held = withKey(held, key('b', START + 30 * DAY), START + 29 * DAY);
  expect(held.keys).toHaveLength(8);
  expect(kids(held.keys).startsWith('a b stray')).toBe(true);
});
