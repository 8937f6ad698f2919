import { dayOf, firstKept } from '../base/days.js';
import type { Ground } from '../base/ground.js';
import { after } from '../base/runtime.js';

const HOUR = 3_600_000;
/** The time before the first look, and between the first and the second. Milliseconds. */
const SOON = 30_000;
/** Rows removed in one batch, and the pause after it in milliseconds. */
const BATCH = 500;
const PAUSE = 50;

/**
 * Removes changes older than `audit.keep`, entries that have ended, and daily counts of uses after 90 days: hourly, in the
 * background, once the store was used. Of several processes one does it. Returns a function that stops it.
 *
 * Removal can't be undone, so a clock that is wrong for a moment must not cause it: of the times of this look and the previous
 * one, the earlier counts.
 */
export function startTrimming({ settings, store, time, events, onFirstUse }: Ground): () => void {
  const keep = settings.keepAudit;
  let isStopped = false;
  let cancel = () => {};
  let looks = 0;
  let before = Number.NaN;

  async function look(): Promise<void> {
    const now = time.read();
    const believed = Math.min(before, now);
    before = now;
    // NaN at the first look.
    if (!Number.isFinite(believed)) return;
    const turn = { kind: 'trimming', id: 'turn', value: '', expiresAt: believed + HOUR, version: 1 };
    if (!(await store.putEntry(turn, 0, believed))) return;
    if (keep !== null) await inBatches(async () => (await store.trimChanges(believed - keep, BATCH)) === BATCH);
    await inBatches(async () => (await store.trimEntries(believed, BATCH)) === BATCH);
    await inBatches(() => store.trimDailyUsage(firstKept(dayOf(believed)), BATCH));
  }

  /** @param trim returns whether more may be left */
  async function inBatches(trim: () => Promise<boolean>): Promise<void> {
    while (!isStopped && (await trim())) await new Promise<void>((resolve) => after(PAUSE, resolve));
  }

  function wait(): void {
    if (isStopped) return;
    cancel = after(looks++ < 2 ? SOON : HOUR, () => {
      look()
        .catch((error) => {
          if (!isStopped) events.fault('trimming', error, time.latest);
        })
        .finally(wait);
    });
  }

  onFirstUse(wait);
  return () => {
    isStopped = true;
    cancel();
  };
}
