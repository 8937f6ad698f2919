import { type Duration, durationOf } from '../domain/duration.js';

/** A clock that stands still until a test moves it. */
export interface TestClock {
  /** Epoch milliseconds. Pass it as any option `clock`. */
  now(): number;
  /** Moves it forward, by a duration or by milliseconds. @throws PosternError `input_invalid` */
  advance(by: Duration | number): void;
  /** Moves it to any time. Ended tokens stay ended when that time is earlier, as with a real clock that is set back. */
  set(to: Date): void;
}

const START = Date.UTC(2026, 0, 1);

/**
 * Makes a clock that stands still until a test moves it.
 *
 * @param start default 2026-01-01T00:00:00Z
 */
export function testClock(start: Date = new Date(START)): TestClock {
  let now = start.getTime();
  return {
    now: () => now,
    advance(by) {
      now += typeof by === 'number' ? by : durationOf(by, 'by');
    },
    set(to) {
      now = to.getTime();
    },
  };
}
