import type { Client } from './clients/client.js';
import { judge, type Verdict } from './judge.js';
import type { Attempt, Step } from './plan.js';
import type { Witness } from './witness.js';

export interface Clients {
  /** They try everything. */
  readonly own: readonly Client[];
  /** The programs of others: each start takes a while, so they try a part. */
  readonly others: readonly Client[];
}

export interface Observer {
  step(title: string): void;
  row(attempt: Attempt, transport: string, verdict: Verdict): void;
}

export interface Score {
  readonly total: number;
  readonly unexpected: number;
}

/** Makes the changes and the attempts, one after another, and tells what came of each. Rejects once it is stopped. */
export async function runPlan(
  plan: readonly Step[],
  clients: Clients,
  witness: Witness,
  observer: Observer,
  stop: AbortSignal,
): Promise<Score> {
  let total = 0;
  let unexpected = 0;
  for (const step of plan) {
    await step.change?.();
    observer.step(step.title);
    for (const attempt of step.attempts) {
      for (const client of [...clients.own, ...(attempt.everywhere ? clients.others : [])]) {
        stop.throwIfAborted();
        witness.take();
        const answer = await client.call(attempt);
        const verdict = judge(attempt.expected, client.protocol, answer, witness.take());
        total++;
        if (verdict.wanted !== null) unexpected++;
        observer.row(attempt, client.transport, verdict);
      }
    }
  }
  return { total, unexpected };
}
