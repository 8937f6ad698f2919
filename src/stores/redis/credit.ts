import type { Usage } from '../../ports/records.js';

/** Counts that were written, though whoever handed them in was told otherwise and will do so again. */
export class Credit {
  readonly #counts = new Map<string, number>();

  add(usages: readonly Usage[]): void {
    for (const { tokenId, counts } of usages) {
      for (const { endpoint, count } of counts) this.#change(keyOf(tokenId, endpoint), count);
    }
  }

  /** A batch without what is written of it already, and what that is. */
  applyTo(batch: readonly Usage[]): { readonly due: readonly Usage[]; readonly used: ReadonlyMap<string, number> } {
    const used = new Map<string, number>();
    if (this.#counts.size === 0) return { due: batch, used };
    const due = batch.map((usage) => ({
      ...usage,
      counts: usage.counts.flatMap(({ endpoint, count }) => {
        const key = keyOf(usage.tokenId, endpoint);
        const before = used.get(key) ?? 0;
        const known = Math.min(count, (this.#counts.get(key) ?? 0) - before);
        used.set(key, before + known);
        return known === count ? [] : [{ endpoint, count: count - known }];
      }),
    }));
    return { due, used };
  }

  /** What {@link applyTo} has used is settled. */
  take(used: ReadonlyMap<string, number>): void {
    for (const [key, count] of used) this.#change(key, -count);
  }

  #change(key: string, by: number): void {
    const count = (this.#counts.get(key) ?? 0) + by;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}

/** A copy that can be sent. A token whose id no text of ours can be is none that there is. */
export function copyOf({ tokenId, lastUsedAt, counts }: Usage): Usage {
  return {
    tokenId: wellFormed(tokenId),
    lastUsedAt,
    counts: counts.map(({ endpoint, count }) => ({ endpoint: wellFormed(endpoint), count })),
  };
}

/** Lua's JSON stops at half a surrogate pair. */
function wellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}

function keyOf(tokenId: string, endpoint: string): string {
  return JSON.stringify([tokenId, endpoint]);
}
