import type { Invalidation, Stale, Store } from 'postern/store';

/**
 * What a store tells, in the order told, without the times of the changes; `until` waits for one that fits, also among those told
 * already.
 */
export function listen(store: Store) {
  const told: Invalidation[] = [];
  const wakes = new Set<() => void>();
  const stop = store.subscribe?.((invalidation) => {
    told.push('at' in invalidation ? withoutTime(invalidation) : invalidation);
    for (const wake of wakes) wake();
  });
  const until = async (fits: (invalidation: Invalidation) => boolean): Promise<Invalidation> => {
    for (;;) {
      const found = told.find(fits);
      if (found !== undefined) return found;
      let wake = () => {};
      await new Promise<void>((resolve) => {
        wake = resolve;
        wakes.add(wake);
      });
      wakes.delete(wake);
    }
  };
  return {
    told,
    stop: () => stop?.(),
    until,
    /** Waits for one of a kind, and forgets what was told so far. */
    async next(kind: Invalidation['kind']) {
      const found = await until((invalidation) => invalidation.kind === kind);
      told.length = 0;
      return found;
    },
  };
}

const withoutTime = ({ at: _, ...stale }: Stale & { readonly at?: number | undefined }) => stale as Stale;

export const tells = (wanted: Invalidation) => (told: Invalidation) => JSON.stringify(told) === JSON.stringify(wanted);
