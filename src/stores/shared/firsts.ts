/** Whether each item is the first with its names: none of the firsts before it has one of them. */
export function firstsOf<Item>(items: readonly Item[], namesOf: (item: Item) => readonly string[]): readonly boolean[] {
  const taken = new Set<string>();
  return items.map((item) => {
    const names = namesOf(item);
    if (names.some((name) => taken.has(name))) return false;
    for (const name of names) taken.add(name);
    return true;
  });
}
