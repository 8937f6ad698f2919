import type { Message } from './message.js';

/** The operations that a feed needs from a database. Every promise settles in bounded time. */
export interface Channel {
  /** The error message for a line on which nothing comes back. */
  readonly silence: string;
  /** Begins to open a line. If that takes too long, the line ends. No event comes before this returns. */
  open(events: LineEvents): Line;
  /** Makes this process count as live for `lifetime` milliseconds. Works without a line. */
  enter(lifetime: number): Promise<void>;
  /** Makes this process no longer count as live. */
  leave(): Promise<void>;
  /** Publishes a question to every line. Returns the processes that were live just before. */
  ask(question: Message): Promise<readonly string[]>;
}

/** One subscription, from its opening to its end. It is never reopened: the feed opens another one. */
export interface Line {
  /**
   * Publishes a message, at least to the process `to`. In the same step this process counts as live for `lifetime` milliseconds
   * (0: no change).
   */
  send(message: Message, to: string, lifetime: number): Promise<void>;
  close(): void;
}

export interface LineEvents {
  opened(): void;
  /**
   * Called for each message that any process published since the line opened: once, and in the order of publishing.
   *
   * @param sequence the number of changes published so far, including this one; `null` if the database never loses a message
   *   without ending the line
   */
  heard(message: Message, sequence: number | null): void;
  ended(error: unknown): void;
}
