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

it('the newest key whose time has come signs', () => {
  const both = ring(key('a', START), key('b', START + 30 * DAY));
  expect(signingKey(both, START).jwk.kid).toBe('a');
  expect(signingKey(both, START + 30 * DAY - 1).jwk.kid).toBe('a');
  expect(signingKey(both, START + 30 * DAY).jwk.kid).toBe('b');
});

it('the first key signs if the clock was set back to before all keys', () => {
  expect(signingKey(ring(key('a', START), key('b', START + DAY)), START - 900 * DAY).jwk.kid).toBe('a');
});

it('a key is published until its last token has expired, plus a margin for other clocks', () => {
  const both = ring(key('a', START), key('b', START + 30 * DAY));
  const last = START + 30 * DAY + HOUR;
  expect(kids(publishedKeys(both, last))).toBe('a b');
  expect(kids(publishedKeys(both, last + HOUR / 12 - 1))).toBe('a b');
  expect(kids(publishedKeys(both, last + HOUR / 12))).toBe('b');
});

it('the next key is made once, one overlap before it signs', () => {
  const one = ring(key('a', START));
  expect(isRotationDue(one, START + 29 * DAY - 1, rotation)).toBe(false);
  expect(isRotationDue(one, START + 29 * DAY, rotation)).toBe(true);
  expect(nextStart(one, START + 29 * DAY, rotation)).toBe(START + 30 * DAY);
  const both = withKey(one, key('b', START + 30 * DAY), START + 29 * DAY);
  expect(isRotationDue(both, START + 29 * DAY, rotation)).toBe(false);
  expect(pendingKey(both, START + 29 * DAY, rotation)?.jwk.kid).toBe('b');
  expect(pendingKey(both, START + 30 * DAY, rotation)).toBeNull();
});

it('a key made too late gets its whole overlap before it signs', () => {
  const late = START + 100 * DAY;
  expect(isRotationDue(ring(key('a', START)), late, rotation)).toBe(true);
  expect(nextStart(ring(key('a', START)), late, rotation)).toBe(late + DAY);
});

it('keys still rotate beside a key planned by a clock far ahead', () => {
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

it('a new key is made if the only one was made by a clock far ahead', () => {
  const stray = ring(key('stray', START + 3650 * DAY));
  expect(isRotationDue(stray, START, rotation)).toBe(true);
  const both = withKey(stray, key('a', nextStart(stray, START, rotation)), START);
  expect(isRotationDue(both, START, rotation)).toBe(false);
  expect(signingKey(both, START + DAY).jwk.kid).toBe('a');
});

it('at most eight keys are held, and a published one is never dropped', () => {
  let held = ring(key('0', START));
  for (let turn = 1; turn <= 20; turn++) {
    const at = START + turn * 30 * DAY;
    held = withKey(held, key(String(turn), at), at - DAY);
    expect(held.keys.length).toBeLessThanOrEqual(8);
    expect(kids(publishedKeys(held, at - DAY))).toBe(`${turn - 1} ${turn}`);
  }
  expect(kids(held.keys)).toBe('13 14 15 16 17 18 19 20');
});

it('up to three jumps of the clock ahead lose no key in use', () => {
  let held = ring(key('a', START));
  for (const jump of [10, 20, 30]) {
    const then = START + jump * 365 * DAY;
    expect(isRotationDue(held, then, rotation)).toBe(true);
    held = withKey(held, key(`stray${jump}`, nextStart(held, then, rotation)), then);
  }
  expect(signingKey(held, START + HOUR).jwk.kid).toBe('a');
  expect(publishedKeys(held, START + HOUR)).toContain(held.keys[0]);
});

it('a new key is added also beside eight keys planned by clocks far ahead', () => {
  let held = ring(key('a', START));
  for (let index = 0; index < 9; index++)
    held = withKey(held, key(`stray${index}`, START + (400 + index) * DAY), START);
  held = withKey(held, key('b', START + 30 * DAY), START + 29 * DAY);
  expect(held.keys).toHaveLength(8);
  expect(kids(held.keys).startsWith('a b stray')).toBe(true);
});
