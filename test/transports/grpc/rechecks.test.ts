import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Rechecks } from '../../../src/transports/grpc/rechecks.js';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const call = () => ({ recheck: vi.fn() });
const calls = (count: number) => Array.from({ length: count }, call);

describe('Rechecks', () => {
  it.each([1, 2, 17, 20, 33, 1000, 30_000])('asks each call about once in an interval of %i ms', (interval) => {
    const rechecks = new Rechecks(interval);
    const open = calls(100);
    for (const call of open) rechecks.add(call);
    vi.advanceTimersByTime(interval);
    for (const { recheck } of open) expect(recheck).toHaveBeenCalled();
    vi.advanceTimersByTime(9 * interval);
    for (const { recheck } of open) {
      expect(recheck.mock.calls.length).toBeGreaterThanOrEqual(10);
      expect(recheck.mock.calls.length).toBeLessThanOrEqual(11);
    }
  });

  it('does not ask all of them at once', () => {
    const rechecks = new Rechecks(16_000);
    const open = calls(160);
    for (const call of open) rechecks.add(call);
    vi.advanceTimersByTime(1_000);
    expect(open.filter(({ recheck }) => recheck.mock.calls.length > 0)).toHaveLength(10);
  });

  it('has one timer for all, and none once they are gone', () => {
    const rechecks = new Rechecks(16_000);
    expect(vi.getTimerCount()).toBe(0);
    const open = calls(50);
    for (const call of open) rechecks.add(call);
    expect(vi.getTimerCount()).toBe(1);
    for (const call of open) rechecks.delete(call);
    expect(rechecks.size).toBe(0);
    vi.advanceTimersByTime(1_000);
    expect(vi.getTimerCount()).toBe(0);
    for (const { recheck } of open) expect(recheck).not.toHaveBeenCalled();
  });

  it('begins again with the next call', () => {
    const rechecks = new Rechecks(16);
    const first = call();
    const second = call();
    rechecks.add(first);
    rechecks.delete(first);
    rechecks.delete(first);
    vi.advanceTimersByTime(16);
    rechecks.add(second);
    vi.advanceTimersByTime(16);
    expect(second.recheck).toHaveBeenCalledTimes(1);
  });

  it('goes on while calls end in the midst of it', () => {
    const rechecks = new Rechecks(1);
    const last = call();
    const ending = { recheck: vi.fn(() => rechecks.delete(ending)) };
    rechecks.add(ending);
    rechecks.add(last);
    vi.advanceTimersByTime(2);
    expect(ending.recheck).toHaveBeenCalledTimes(1);
    expect(last.recheck).toHaveBeenCalledTimes(2);
  });

  it('does not keep the process alive', () => {
    vi.useRealTimers();
    const set = vi.spyOn(globalThis, 'setInterval');
    const rechecks = new Rechecks(1_000);
    rechecks.add(call());
    const timer = set.mock.results[0]?.value as NodeJS.Timeout;
    expect(timer.hasRef()).toBe(false);
    clearInterval(timer);
    set.mockRestore();
  });
});
