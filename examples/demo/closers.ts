/** What was opened, closed in the opposite order, whatever happens in between. */
export interface Closers {
  /** Once everything is closed, what is added is closed at once. */
  add(close: () => unknown): void;
  close(): Promise<void>;
}

export function createClosers(): Closers {
  const closers: (() => unknown)[] = [];
  let closed = false;
  return {
    add(close) {
      if (closed) void close();
      else closers.push(close);
    },
    async close() {
      closed = true;
      for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
    },
  };
}
