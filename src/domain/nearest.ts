/** The longest name that is compared. A comparison takes as many steps as both lengths multiplied. */
const LONGEST = 40;

/** A hint for a misspelt name: `: did you mean "scope"?`, or an empty string if no name is similar. */
export function didYouMean(given: string, names: Iterable<string>): string {
  const near = nearest(given, names);
  return near === null ? '' : `: did you mean "${near}"?`;
}

/** The most similar name: at most two slips away, or one if the given name has fewer than 5 characters. */
function nearest(given: string, names: Iterable<string>): string | null {
  if (given.length > LONGEST) return null;
  let best: string | null = null;
  let least = given.length < 5 ? 2 : 3;
  for (const name of names) {
    const distance = slips(given.toLowerCase().replace(/[-_]/g, ''), name.toLowerCase());
    if (distance >= least) continue;
    best = name;
    least = distance;
  }
  return best;
}

/** Letters left out, added, mistaken or swapped (the optimal string alignment distance). */
function slips(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const mistaken = one[i - 1] === other[j - 1] ? 0 : 1;
      let least = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + mistaken);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
        least = Math.min(least, at(before, j - 2) + 1);
      }
      row.push(least);
    }
    before = last;
    last = row;
  }
  return at(last, other.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] as number;
}
