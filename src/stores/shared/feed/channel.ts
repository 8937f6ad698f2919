import type { Message } from './message.js';

/** What a feed needs of a database. Every promise settles in bounded time. */
export interface Channel {
  /** What is said of a line on which nothing comes back. */
  readonly silence: string;
  /** Begins to open a line, which ends if that takes too long. Nothing is told before this returns. */
  open(events: LineEvents): Line;
  /** This process counts as live for so long. Works without a line. Milliseconds. */
  enter(lifetime: number): Promise<void>;
  /** It counts as live no longer. */
  leave(): Promise<void>;
  /** Publishes a question to every line. Returns the processes that were live just before that. */
  ask(question: Message): Promise<readonly string[]>;
}

/** A subscription of its own, from its opening to its end. It is never opened again: the feed opens another one. */
export interface Line {
  /**
   * Publishes a message, for one process at least. In the same step this process counts as live for `lifetime` (0: that is
   * left as it is).
   */
  send(message: Message, to: string, lifetime: number): Promise<void>;
  close(): void;
}

export interface LineEvents {
  opened(): void;
  /**
   * What anyone published since the line opened, each message once, in the order in which it was published.
   *
   * @param sequence how many changes were published so far, this one included; `null` where the database loses no message
   *   without ending the line
   */
  heard(message: Message, sequence: number | null): void;
  ended(error: unknown): void;
}
