import type { Invalidation } from 'postern/store';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { Channel, LineEvents } from '../../src/stores/shared/feed/channel.js';
import { Feed } from '../../src/stores/shared/feed/feed.js';
import { type Message, ofToken } from '../../src/stores/shared/feed/message.js';

export const HEARTBEAT = 1_000;
export const ME = 'me';

/** A channel that does what a test says. Nothing comes in by itself. */
class FakeChannel implements Channel {
  readonly silence = 'silence';
  /** Every line that was opened, the last one at the end. */
  readonly lines: (LineEvents & { isClosed: boolean; sent: Message[] })[] = [];
  readonly calls: string[] = [];
  readonly asked: string[] = [];
  live: string[] = [];
  /** What the next calls wait for, or fail with. */
  work = async () => {};

  get line() {
    return this.lines.at(-1) as (typeof this.lines)[0];
  }

  open(events: LineEvents) {
    const line = { ...events, isClosed: false, sent: [] as Message[] };
    this.lines.push(line);
    return {
      send: (message: Message, to: string, lifetime: number) => {
        this.calls.push(`send ${message.kind} to ${to}${lifetime > 0 ? ', live' : ''}`);
        line.sent.push(message);
        return this.work();
      },
      close: () => {
        line.isClosed = true;
      },
    };
  }
  /** From now on calls wait until what this returns is called. */
  hold(): () => void {
    let go = () => {};
    const held = new Promise<void>((resolve) => (go = resolve));
    this.work = () => held;
    return () => go();
  }
  enter() {
    this.calls.push('enter');
    return this.work();
  }
  async leave() {
    this.calls.push('leave');
  }
  async ask(question: Message) {
    if (question.kind === 'question') this.asked.push(question.id);
    await this.work();
    return this.live;
  }
}

export const flush = () => vi.advanceTimersByTimeAsync(0);
export const beats = (count: number) => vi.advanceTimersByTimeAsync(count * HEARTBEAT);
export const change = (id: string, token = id): Message => ({ kind: 'change', id, invalidation: ofToken(token) });

/** A clock that stands still until a test moves it. */
export function useFakeClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

export function aFeed() {
  const channel = new FakeChannel();
  const feed = new Feed(channel, ME, HEARTBEAT);
  const told: Invalidation[] = [];
  const stop = feed.subscribe((invalidation) => told.push(invalidation));
  return { channel, feed, told, stop };
}

/** One that is live, the last change that it knows of being number 7. */
export async function aLiveFeed(sequence: number | null = 7) {
  const all = aFeed();
  await all.feed.enter();
  all.channel.line.opened();
  await flush();
  all.channel.line.heard({ kind: 'beat', instance: ME }, sequence);
  expect(all.told.splice(0)).toEqual([{ kind: 'restored' }]);
  all.channel.calls.length = 0;
  return all;
}
