import type { Invalidation } from 'postern/store';
import { describe, expect, it, vi } from 'vitest';
import type { LineEvents } from '../../src/stores/shared/feed/channel.js';
import { ofEndpoints, ofToken } from '../../src/stores/shared/feed/message.js';
import { aFeed, aLiveFeed, beats, change, flush, HEARTBEAT, ME, useFakeClock } from './fake-channel.js';

useFakeClock();

describe('a feed that begins', () => {
  it('opens no line before the first call, nor without a listener', async () => {
    const { channel, feed, stop } = aFeed();
    expect(channel.lines).toHaveLength(0);
    stop();
    await feed.enter();
    await beats(3);
    expect(channel.lines).toHaveLength(0);
    expect(channel.calls).toEqual([]);
    feed.subscribe(() => {});
    expect(channel.lines).toHaveLength(1);
    await feed.close();
  });

  it('lets a call read only once this process counts as live, and concurrent calls enter it once', async () => {
    const { channel, feed } = aFeed();
    const enter = channel.hold();
    const calls = [feed.enter(), feed.enter(), feed.enter()];
    const isFirst = await Promise.race([calls[0]?.then(() => 'entered'), flush().then(() => 'waits')]);
    expect(isFirst).toBe('waits');
    enter();
    await Promise.all(calls);
    expect(channel.calls).toEqual(['enter']);
    await feed.enter();
    expect(channel.calls).toEqual(['enter']);
    await feed.close();
  });

  it('rejects a call if this process can not be entered, and lets the next call try again', async () => {
    const { channel, feed } = aFeed();
    channel.work = () => Promise.reject(new Error('down'));
    await expect(feed.enter()).rejects.toThrow('down');
    channel.work = async () => {};
    await feed.enter();
    await feed.close();
  });

  it('is live only once its own beat comes back', async () => {
    const { channel, feed, told } = aFeed();
    await feed.enter();
    channel.line.opened();
    await flush();
    channel.line.heard({ kind: 'beat', instance: 'another' }, 7);
    expect(told).toEqual([]);
    channel.line.heard({ kind: 'beat', instance: ME }, 7);
    expect(told).toEqual([{ kind: 'restored' }]);
    await feed.close();
  });

  it('tells a change that comes in before the feed is live', async () => {
    const { channel, feed, told } = aFeed();
    await feed.enter();
    channel.line.opened();
    channel.line.heard(change('c', 't1'), 3);
    expect(told).toEqual([ofToken('t1')]);
    await feed.close();
  });

  it('sends a beat at once if the line opens while another beat is being sent', async () => {
    const { channel, feed } = aFeed();
    await feed.enter();
    const end = channel.hold();
    await beats(1);
    channel.line.opened();
    expect(channel.line.sent).toEqual([]);
    end();
    await flush();
    expect(channel.line.sent).toEqual([{ kind: 'beat', instance: ME }]);
    await feed.close();
  });
});

describe('a feed that is lost', () => {
  it.each([
    ['the line ends', (line: LineEvents) => line.ended(new Error('cut')), 'cut'],
    ['nothing comes back for two heartbeats', () => beats(2), 'silence'],
  ])('because %s reports it once, opens another line, and reports when it is back', async (_, lose, reason) => {
    const { channel, feed, told } = await aLiveFeed();
    await lose(channel.line);
    expect(channel.line.isClosed).toBe(true);
    await vi.advanceTimersByTimeAsync(200);
    expect(channel.lines).toHaveLength(2);
    channel.line.ended(new Error('not yet'));
    await beats(1);
    expect(channel.lines).toHaveLength(3);
    expect(told).toEqual([{ kind: 'lost', error: expect.objectContaining({ message: reason }) }]);
    channel.line.opened();
    await flush();
    channel.line.heard({ kind: 'beat', instance: ME }, 9);
    expect(told.slice(1)).toEqual([{ kind: 'restored' }]);
    await feed.close();
  });

  it('stays live while a message comes in at each heartbeat', async () => {
    const { channel, feed, told } = await aLiveFeed();
    for (let index = 0; index < 10; index++) {
      await beats(1);
      channel.line.heard({ kind: 'beat', instance: ME }, 7);
    }
    expect(told).toEqual([]);
    expect(channel.calls).toEqual(Array(10).fill('send beat to me, live'));
    await feed.close();
  });

  it('names the failure of its last beat as the reason for the silence', async () => {
    const { channel, feed, told } = await aLiveFeed();
    channel.work = () => Promise.reject(new Error('refused'));
    await beats(2);
    expect(told).toEqual([{ kind: 'lost', error: expect.objectContaining({ message: 'refused' }) }]);
    await feed.close();
  });

  it('waits longer before each new line, up to 5 seconds', async () => {
    const { channel, feed } = await aLiveFeed();
    const waits: number[] = [];
    for (let index = 0; index < 9; index++) {
      const { length } = channel.lines;
      const since = performance.now();
      channel.line.ended(new Error('cut'));
      while (channel.lines.length === length) await vi.advanceTimersByTimeAsync(10);
      waits.push(performance.now() - since);
    }
    expect(waits[0]).toBeLessThan(150);
    expect(waits.at(-1)).toBeGreaterThan(3_500);
    expect(Math.max(...waits)).toBeLessThan(6_500);
    await feed.close();
  });

  it('ignores events of a line that it has given up', async () => {
    const { channel, feed, told } = await aLiveFeed();
    const [old] = channel.lines;
    old?.ended(new Error('cut'));
    told.length = 0;
    await vi.advanceTimersByTimeAsync(200);
    old?.heard(change('c'), 8);
    old?.heard({ kind: 'beat', instance: ME }, 8);
    old?.ended(new Error('again'));
    old?.opened();
    expect(told).toEqual([]);
    expect(channel.line.isClosed).toBe(false);
    await feed.close();
  });

  it('reports the loss to new subscribers, but not to those that have stopped', async () => {
    const { channel, feed } = await aLiveFeed();
    channel.line.ended(new Error('cut'));
    const [late, gone]: Invalidation[][] = [[], []];
    feed.subscribe((each) => late?.push(each));
    feed.subscribe((each) => gone?.push(each))();
    expect(late).toEqual([]);
    await flush();
    expect(late).toEqual([{ kind: 'lost', error: new Error('cut') }]);
    expect(gone).toEqual([]);
    await feed.close();
  });

  it('leaves this process counted as live, because it still reads', async () => {
    const { channel, feed } = await aLiveFeed();
    channel.line.ended(new Error('cut'));
    await vi.advanceTimersByTimeAsync(200);
    await beats(2);
    expect(channel.calls).toEqual(['enter', 'enter']);
    await feed.close();
  });

  it('after its process was stopped for long enters it again before the next read', async () => {
    const { channel, feed } = await aLiveFeed();
    const before = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => before() + 10 * HEARTBEAT);
    await feed.enter();
    expect(channel.calls).toEqual(['enter']);
    vi.restoreAllMocks();
    await feed.close();
  });
});

describe('a change', () => {
  const make = (answer: boolean) => async () => [answer];

  it('of another process is told as it comes in', async () => {
    const { channel, feed, told } = await aLiveFeed();
    channel.line.heard({ kind: 'change', id: 'c1', invalidation: ofEndpoints('acme') }, 8);
    expect(told).toEqual([{ kind: 'endpoints', organization: 'acme' }]);
    await feed.close();
  });

  it('of this process is told before its call returns, and not again when it comes in', async () => {
    const { channel, feed, told } = await aLiveFeed();
    expect(await feed.change([{ id: 'c1', invalidation: ofToken('t1') }], make(true))).toEqual([true]);
    expect(told).toEqual([ofToken('t1')]);
    channel.line.heard(change('c1', 't1'), 8);
    await feed.change([{ id: 'c2', invalidation: ofToken('t2') }], async () => {
      channel.line.heard(change('c2', 't2'), 9);
      return [true];
    });
    expect(told).toEqual([ofToken('t1'), ofToken('t2')]);
    channel.line.heard(change('c2', 't2'), 10);
    expect(told).toHaveLength(3);
    await feed.close();
  });

  it('that was refused is not told', async () => {
    const { feed, told } = await aLiveFeed();
    expect(await feed.change([{ id: 'c1', invalidation: ofToken('t1') }], make(false))).toEqual([false]);
    expect(told).toEqual([]);
    await feed.close();
  });

  it('that failed is told at once, and again if it comes in, because it may have been made', async () => {
    const { channel, feed, told } = await aLiveFeed();
    const failing = () => Promise.reject(new Error('no answer'));
    await expect(feed.change([{ id: 'c1', invalidation: ofToken('t1') }], failing)).rejects.toThrow('no answer');
    expect(told).toEqual([ofToken('t1')]);
    channel.line.heard(change('c1', 't1'), 8);
    expect(told).toEqual([ofToken('t1'), ofToken('t1')]);
    await feed.close();
  });

  it('made before or during a loss is told again if it comes in on the next line', async () => {
    const { channel, feed, told } = await aLiveFeed();
    await feed.change([{ id: 'c1', invalidation: ofToken('t1') }], make(true));
    channel.line.ended(new Error('cut'));
    await feed.change([{ id: 'c2', invalidation: ofToken('t2') }], make(true));
    await vi.advanceTimersByTimeAsync(200);
    told.length = 0;
    channel.line.opened();
    for (const id of ['c1', 'c2']) channel.line.heard(change(id), 9);
    expect(told).toEqual([ofToken('c1'), ofToken('c2')]);
    await feed.close();
  });
});

describe('the numbers of changes', () => {
  it('a missing number makes listeners forget everything before the next change is told', async () => {
    const { channel, feed, told } = await aLiveFeed();
    channel.line.heard(change('c8'), 8);
    channel.line.heard(change('c10'), 10);
    expect(told).toEqual([ofToken('c8'), { kind: 'everything' }, ofToken('c10')]);
    told.length = 0;
    channel.line.heard({ kind: 'beat', instance: ME }, 11);
    channel.line.heard({ kind: 'question', id: 'q', instance: 'another' }, 12);
    channel.line.heard(change('c13'), 13);
    expect(told).toEqual([{ kind: 'everything' }, { kind: 'everything' }, ofToken('c13')]);
    await feed.close();
  });

  it('a missing number is noticed among own changes too', async () => {
    const { channel, feed, told } = await aLiveFeed();
    await feed.change([{ id: 'mine', invalidation: ofToken('t1') }], async () => [true]);
    told.length = 0;
    channel.line.heard(change('mine', 't1'), 8);
    channel.line.heard(change('c9'), 9);
    expect(told).toEqual([ofToken('c9')]);
    await feed.close();
  });

  it('are not checked if the database has none', async () => {
    const { channel, feed, told } = await aLiveFeed(null);
    channel.line.heard(change('c1'), null);
    channel.line.heard({ kind: 'beat', instance: ME }, null);
    expect(told).toEqual([ofToken('c1')]);
    await feed.close();
  });
});
