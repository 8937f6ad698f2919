/** What a script prints, and how it ends. */
export class Report {
  readonly #broken: string[] = [];
  readonly #begun = performance.now();
  readonly #watch: NodeJS.Timeout;

  /** @param bound seconds after which the script gives up, and counts as failed */
  constructor(title: string, bound: number) {
    console.log(`${title}\n`);
    this.#watch = setTimeout(() => {
      console.error(`gave up after ${bound} s`);
      process.exit(1);
    }, bound * 1000);
  }

  progress(text: string): void {
    const seconds = ((performance.now() - this.#begun) / 1000).toFixed(1).padStart(6);
    console.log(`${seconds} s  ${text}`);
  }

  /** Columns as wide as what is in them; the first row is the head. */
  table(rows: readonly (readonly (string | number)[])[]): void {
    const texts = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? round(cell) : cell)));
    const widths = (texts[0] ?? []).map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
    const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
    const [head = [], ...body] = texts;
    const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
    console.log(['', line(head), rule, ...body.map(line), ''].join('\n'));
  }

  /** A figure that must be 0. */
  zero(what: string, count: number, details: readonly unknown[] = []): void {
    console.log(`${count === 0 ? 'ok  ' : 'FAIL'} ${what}: ${count}`);
    if (count === 0) return;
    this.#broken.push(what);
    for (const detail of details.slice(0, 5)) console.log(`       ${JSON.stringify(detail)}`);
  }

  /** A figure with a goal: said, and no failure, as the machine has a part in it. */
  goal(what: string, value: number, limit: number, unit: string): void {
    console.log(`${value <= limit ? 'met ' : 'MISS'} ${what}: ${round(value)}${unit} (goal: at most ${limit}${unit})`);
  }

  /** How far two figures of one thing differ; beyond a tenth, what was compared beside them is not resolved. */
  resolution(what: string, ratio: number): void {
    console.log(`${Math.abs(ratio - 1) <= 0.1 ? 'fine' : 'UNRESOLVED'} ${what}: ${round(ratio)}x`);
  }

  /** Says how it went, and sets the exit code: 1 where a figure that must be 0 is not. */
  end(): void {
    clearTimeout(this.#watch);
    const seconds = Math.round((performance.now() - this.#begun) / 1000);
    console.log(this.#broken.length === 0 ? `\nall right, in ${seconds} s` : `\nFAILED: ${this.#broken.join('; ')}`);
    process.exitCode = this.#broken.length === 0 ? 0 : 1;
  }
}

function round(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}
