import {
  type bentocloudTokenTypes,
  createPostern,
  type Attempt as GenericAttempt,
  type PosternEvent,
  type PosternOptions,
} from 'postern';
import { type ControlledStore, controlledStore } from './controlled-store.js';

export type Attempt = GenericAttempt<typeof bentocloudTokenTypes>;

/** 2026-01-01, when every test begins. */
export const START = Date.UTC(2026, 0, 1);

/** A clock that stands still until a test moves it. */
export class TestClock {
  now = START;
  readonly read = (): number => this.now;

  advance(milliseconds: number): void {
    this.now += milliseconds;
  }
}

/** An instance with the default token types, on a store that counts, with a clock that stands still. */
export function instance(options: Omit<PosternOptions, 'store' | 'tokenTypes'> & { store?: ControlledStore } = {}) {
  const clock = new TestClock();
  const events: PosternEvent[] = [];
  const store = options.store ?? controlledStore();
  const postern = createPostern({ clock: clock.read, onEvent: (event) => events.push(event), ...options, store });
  return { postern, store, clock, events };
}

/** The `PosternError` that a promise rejects with, in the parts that are its contract. */
export async function refusal(
  work: Promise<unknown>,
): Promise<{ code: string; path: string | undefined; message: string }> {
  const error: unknown = await work.then(
    (value) => {
      throw new Error(`nothing was refused; the outcome was ${JSON.stringify(value)}`);
    },
    (reason: unknown) => reason,
  );
  return parts(error);
}

/** The same of a function that throws. */
export function thrown(work: () => unknown): { code: string; path: string | undefined; message: string } {
  let value: unknown;
  try {
    value = work();
  } catch (error) {
    return parts(error);
  }
  throw new Error(`nothing was thrown; the outcome was ${JSON.stringify(value)}`);
}

function parts(error: unknown) {
  if (!(error instanceof Error) || error.name !== 'PosternError') throw error;
  const { code, path, message } = error as Error & { code: string; path: string | undefined };
  return { code, path, message };
}

/** What a decision says, in one word: `allowed`, or the reason. */
export function verdict(decision: { allowed: true } | { allowed: false; reason: string }): string {
  return decision.allowed ? 'allowed' : decision.reason;
}

/** The same token with another last character: right form, wrong checksum. */
export function withWrongChecksum(token: string): string {
  return token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
}
