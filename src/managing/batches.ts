/** The most items that one call of the store changes. A store in this process does nothing else meanwhile. */
export const MOST_OF_BATCH = 100;

/** The largest size of a batch, in characters. A single item may be larger. */
const LARGEST = 262_144;

/** Cuts a list into batches, in its order. @param sizeOf in characters */
export function batchesOf<Item>(items: readonly Item[], sizeOf: (item: Item) => number): readonly (readonly Item[])[] {
  const batches: Item[][] = [];
  let size = 0;
  for (const item of items) {
    const last = batches.at(-1);
    size += sizeOf(item);
    if (last !== undefined && last.length < MOST_OF_BATCH && size <= LARGEST) last.push(item);
    else {
      batches.push([item]);
      size = sizeOf(item);
    }
  }
  return batches;
}
