import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { Time } from '../../src/base/time.js';
import { START, verdict } from '../support/outcomes.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Reads a clock at these times, and returns the time used for expiry after each. */
function judged(...readings: number[]) {
  let now = START;
  const told: string[] = [];
  const time = new Time(() => now);
  time.listen({ setBack: () => told.push('set back'), believed: () => told.push('believed') });
  const latest = readings.map((reading) => {
    now = START + reading;
    time.read();
    return time.latest - START;
  });
  return { latest, told };
}

describe('a clock that jumped far ahead', () => {
  test('and came back is trusted again after a minute', () => {
    const { latest, told } = judged(0, 10 * YEAR, 2 * SECOND, 32 * SECOND, MINUTE, MINUTE + 2 * SECOND, HOUR);
    expect(latest).toEqual([0, 10 * YEAR, 10 * YEAR, 10 * YEAR, 10 * YEAR, MINUTE + 2 * SECOND, HOUR]);
    expect(told).toEqual(['set back', 'believed']);
  });

  test('ends tokens only until it is trusted again, and events report both', async () => {
    const { postern, clock, events } = createTestPostern();
    const { token } = await postern.tokens.create({
      name: 'x',
      types: { developer: { scopes: ['models:read'] } },
      expiresIn: '30d',
    });
    const ask = async () => verdict(await postern.authorize({ token, requirement: { authenticated: true } }));
    expect(await ask()).toBe('allowed');
    clock.set(new Date(START + 10 * YEAR));
    expect(await ask()).toBe('token_expired');
    clock.set(new Date(START + SECOND));
    expect(await ask()).toBe('token_expired');
    clock.advance(MINUTE - 1);
    expect(await ask()).toBe('token_expired');
    clock.advance(1);
    expect(await ask()).toBe('allowed');
    clock.set(new Date(START + 30 * DAY));
    expect(await ask()).toBe('token_expired');
    const faults = events.filter((event) => event.type === 'fault').map(({ during, error }) => [during, String(error)]);
    expect(faults).toEqual([
      ['clock', expect.stringContaining('set back')],
      ['clock', expect.stringContaining('trusted again')],
    ]);
  });

  test('twice, and came back, is trusted again after a minute', () => {
    const { latest } = judged(0, 10 * YEAR, 24 * YEAR, SECOND, SECOND + MINUTE);
    expect(latest.at(-1)).toBe(SECOND + MINUTE);
  });

  test('again and again within a minute is not trusted', () => {
    const flapping = Array.from({ length: 20 }, (_, index) => [index * 10 * SECOND, 10 * YEAR + index]).flat();
    expect(judged(0, ...flapping).latest.at(-1)).toBe(10 * YEAR + 19);
  });

  test('for hours is trusted again a minute after its return', () => {
    const hours = Array.from({ length: 20 }, (_, index) => YEAR + index * HOUR);
    expect(judged(0, ...hours, 20 * HOUR, 20 * HOUR + MINUTE).latest.at(-1)).toBe(20 * HOUR + MINUTE);
  });
});

describe('expired tokens stay expired', () => {
  test('after a step back of hours', () => {
    const { latest, told } = judged(0, 5 * HOUR, HOUR, 2 * HOUR, 4 * HOUR);
    expect(latest).toEqual([0, 5 * HOUR, 5 * HOUR, 5 * HOUR, 5 * HOUR]);
    expect(told).toEqual(['set back']);
  });

  test('after a step back of weeks without a jump before it', () => {
    const steps = Array.from({ length: 40 }, (_, index) => index * 20 * HOUR);
    expect(judged(...steps, 0, HOUR, 12 * HOUR).latest.at(-1)).toBe(39 * 20 * HOUR);
  });

  test('after a jump and a step back of some days only', () => {
    const { latest } = judged(0, 10 * DAY, 5 * DAY, 5 * DAY + HOUR);
    expect(latest.at(-1)).toBe(10 * DAY);
  });

  test('if they ended before the jump, also for a clock that comes back to 1970', () => {
    const { latest } = judged(HOUR, 10 * YEAR, -START, -START + MINUTE);
    expect(latest.at(-1)).toBe(HOUR);
  });

  test('after a step back from a jump that was used for more than a day', () => {
    const awake = Array.from({ length: 26 }, (_, index) => 3 * DAY + index * HOUR);
    expect(judged(0, ...awake, HOUR, 2 * HOUR).latest.at(-1)).toBe(3 * DAY + 25 * HOUR);
  });

  test('after a step back of months, also if the clock is read only once a week', () => {
    const weeks = Array.from({ length: 50 }, (_, index) => index * 7 * DAY);
    const { latest } = judged(...weeks, 7 * DAY, 7 * DAY + HOUR);
    expect(latest.at(-1)).toBe(46 * 7 * DAY);
  });

  test('after a step back from a first reading far in the future', () => {
    expect(judged(10 * YEAR, 0, HOUR).latest).toEqual([10 * YEAR, 10 * YEAR, 10 * YEAR]);
  });
});
