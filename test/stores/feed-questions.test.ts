import { describe, expect, it, vi } from 'vitest';
import type { Message } from '../../src/stores/shared/feed/message.js';
import { aFeed, aLiveFeed, beats, flush, ME, useFakeClock } from './fake-channel.js';

useFakeClock();

describe('a question', () => {
  const question: Message = { kind: 'question', id: 'q', instance: 'another' };

  it('of another process is answered by a live feed only', async () => {
    const { channel, feed } = aFeed();
    await feed.enter();
    channel.line.opened();
    await flush();
    channel.line.heard(question, 7);
    expect(channel.line.sent.map(({ kind }) => kind)).toEqual(['beat']);
    channel.line.heard({ kind: 'beat', instance: ME }, 7);
    channel.line.heard(question, 7);
    expect(channel.line.sent.at(-1)).toEqual({ kind: 'answer', id: 'q', instance: ME });
    expect(channel.calls.at(-1)).toBe('send answer to another');
    await feed.close();
  });

  it('of this process resolves once every live process has answered', async () => {
    const { channel, feed } = await aLiveFeed();
    channel.live = [ME, 'a'];
    const confirming = feed.confirm(10_000);
    await flush();
    const [id] = channel.asked as [string];
    channel.line.heard({ kind: 'answer', id, instance: ME }, 7);
    channel.line.heard({ kind: 'answer', id: 'another question', instance: 'a' }, 7);
    expect(await Promise.race([confirming, flush().then(() => 'waits')])).toBe('waits');
    channel.line.heard({ kind: 'answer', id, instance: 'a' }, 7);
    expect(await confirming).toEqual({ acknowledged: 2, missing: 0 });
    await feed.close();
  });

  it('is asked again at each heartbeat and when the feed goes live, and does not wait for dead processes', async () => {
    const { channel, feed } = await aLiveFeed();
    channel.live = ['a', 'b'];
    const confirming = feed.confirm(60_000);
    await beats(1);
    expect(channel.asked).toHaveLength(2);
    channel.line.ended(new Error('cut'));
    await vi.advanceTimersByTimeAsync(200);
    channel.line.opened();
    await flush();
    channel.line.heard({ kind: 'beat', instance: ME }, 7);
    await flush();
    expect(channel.asked).toHaveLength(3);
    channel.line.heard({ kind: 'answer', id: channel.asked[0] as string, instance: 'a' }, 7);
    channel.live = ['a'];
    await beats(1);
    expect(await confirming).toEqual({ acknowledged: 1, missing: 0 });
    await feed.close();
  });

  it('that waits when the feed goes live is asked again at once', async () => {
    const { channel, feed } = aFeed();
    await feed.enter();
    channel.live = ['a'];
    const go = channel.hold();
    const confirming = feed.confirm(10_000);
    channel.work = async () => {};
    channel.line.opened();
    await flush();
    channel.line.heard({ kind: 'beat', instance: ME }, 7);
    go();
    await flush();
    expect(channel.asked).toHaveLength(2);
    channel.line.heard({ kind: 'answer', id: channel.asked[0] as string, instance: 'a' }, 7);
    await confirming;
    await feed.close();
  });

  it('after its timeout counts silent processes as missing, and rejects if it could not be asked', async () => {
    const { channel, feed } = await aLiveFeed();
    channel.live = ['a'];
    const confirming = feed.confirm(1_500);
    await beats(2);
    expect(await confirming).toEqual({ acknowledged: 0, missing: 1 });
    channel.work = () => Promise.reject(new Error('down'));
    const failing = expect(feed.confirm(500)).rejects.toThrow('down');
    await beats(1);
    await failing;
    await feed.close();
  });

  it('without listeners opens a line, does not make this process live, and closes the line again', async () => {
    const { channel, feed, stop } = aFeed();
    stop();
    await feed.enter();
    channel.live = ['a'];
    const confirming = feed.confirm(10_000);
    channel.line.opened();
    await flush();
    expect(channel.calls).toEqual(['send beat to me']);
    channel.line.heard({ kind: 'beat', instance: ME }, 7);
    const asked = { ...question, id: channel.asked[0] as string };
    channel.line.heard(asked, 7);
    channel.line.heard({ kind: 'answer', id: asked.id, instance: 'a' }, 7);
    expect(await confirming).toEqual({ acknowledged: 1, missing: 0 });
    await flush();
    expect(channel.calls).toEqual(['send beat to me', 'leave']);
    expect(channel.line.isClosed).toBe(true);
  });

  it('ends when the store is closed', async () => {
    const { channel, feed } = await aLiveFeed();
    channel.live = ['a'];
    const confirming = feed.confirm(60_000);
    await flush();
    await feed.close();
    expect(await confirming).toEqual({ acknowledged: 0, missing: 1 });
  });
});

describe('a feed that ends', () => {
  it('leaves only after its last beat, which would make it live again', async () => {
    const { channel, feed, stop } = await aLiveFeed();
    const end = channel.hold();
    await beats(1);
    stop();
    await flush();
    expect(channel.calls).toEqual(['send beat to me, live']);
    end();
    await flush();
    expect(channel.calls).toEqual(['send beat to me, live', 'leave']);
    expect(channel.line.isClosed).toBe(true);
    await feed.close();
  });

  it('and is used again later counts as live again', async () => {
    const { channel, feed, stop } = await aLiveFeed();
    stop();
    await flush();
    feed.subscribe(() => {});
    await feed.enter();
    expect(channel.calls).toEqual(['leave', 'enter']);
    await feed.close();
  });

  it('and is used again at once counts as live only after it has left', async () => {
    const { channel, feed, stop } = await aLiveFeed();
    let left = () => {};
    channel.leave = () => {
      channel.calls.push('leave');
      return new Promise<void>((resolve) => (left = resolve));
    };
    stop();
    feed.subscribe(() => {});
    const entering = feed.enter();
    await flush();
    expect(channel.calls).toEqual(['leave']);
    left();
    await entering;
    expect(channel.calls).toEqual(['leave', 'enter']);
    channel.leave = async () => {};
    await feed.close();
  });

  it('sends no more events, and leaves no timer', async () => {
    const { channel, feed, told } = await aLiveFeed();
    channel.line.ended(new Error('cut'));
    told.length = 0;
    await feed.close();
    expect(vi.getTimerCount()).toBe(0);
    const { length } = channel.lines;
    await feed.enter();
    feed.subscribe((each) => told.push(each))();
    await beats(5);
    expect(channel.lines).toHaveLength(length);
    expect(told).toEqual([]);
  });

  it('may be closed by a listener that is told of its loss', async () => {
    const { channel, feed } = await aLiveFeed();
    feed.subscribe(({ kind }) => kind === 'lost' && void feed.close());
    channel.line.ended(new Error('cut'));
    await beats(5);
    expect(channel.lines).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
