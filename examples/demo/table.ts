import type { Verdict } from './judge.js';
import type { Step } from './plan.js';
import type { Observer, Score } from './run.js';
import { TARGETS } from './targets.js';
import type { Style, Terminal } from './terminal.js';

const COLUMNS = ['who', 'what', 'transport', 'decision', 'reason', 'status'] as const;

/** The table of attempts, a row as soon as it is known: aligned on a terminal, separated by tabs in a pipe. */
export function printTable(
  terminal: Terminal,
  plan: readonly Step[],
  transports: readonly string[],
  missing: readonly string[],
): Observer {
  const { paint } = terminal;
  terminal.heading('5. Attempts');
  for (const sentence of missing) terminal.line(paint('yellow', sentence));
  const attempts = plan.flatMap((step) => step.attempts);
  const widths = [
    longest(['who', ...attempts.map(({ who }) => who)]),
    longest(['what', ...attempts.map(({ target }) => TARGETS[target].label)]),
    longest(['transport', ...transports]),
    longest(['decision']),
    longest(['reason', ...attempts.map(({ expected }) => expected)]),
    longest(['PERMISSION_DENIED']),
  ];
  let previous: readonly string[] = [];

  function print(cells: readonly string[], styles: readonly Style[], mark: string): void {
    if (!terminal.isTTY) {
      terminal.line([...cells, mark].join('\t'));
      return;
    }
    const painted = cells.map((cell, i) => {
      const style = styles[i];
      const padded = cell.padEnd(widths[i] ?? 0);
      return style === undefined ? padded : paint(style, padded);
    });
    terminal.line(`  ${painted.join('  ')}  ${mark}`.trimEnd());
  }

  print(COLUMNS, ['bold', 'bold', 'bold', 'bold', 'bold', 'bold'], terminal.isTTY ? '' : 'expected');
  return {
    step(title) {
      previous = [];
      if (terminal.isTTY) terminal.line();
      terminal.line(paint('cyan', `${terminal.isTTY ? '  ' : ''}-- ${title}`));
    },
    row({ who, target }, transport, verdict) {
      const cells = [who, TARGETS[target].label, transport, verdict.decision, verdict.reason ?? '-', verdict.status];
      const repeated = previous[0] === cells[0] && previous[1] === cells[1];
      previous = cells;
      const known: Style = verdict.decision === 'allowed' ? 'green' : 'yellow';
      const told: Style = repeated ? 'dim' : 'bold';
      print(cells, [told, told, 'cyan', known, known, known], markOf(verdict, terminal));
    },
  };
}

export function printScore({ line, note, paint }: Terminal, { total, unexpected }: Score): void {
  line();
  note('The reason is what the guard tells its operator, the status what the client gets: no client can tell a');
  note('private deployment from one that was never registered.');
  if (unexpected === 0) line(paint('green', `All ${total} decisions were the expected ones.`));
  else line(paint('red', `${unexpected} of ${total} decisions were not the expected ones.`));
}

function markOf({ wanted }: Verdict, { isTTY, paint }: Terminal): string {
  if (wanted === null) return isTTY ? paint('green', '✓') : 'yes';
  return isTTY ? paint('red', `✗ expected ${wanted}`) : `UNEXPECTED (wanted ${wanted})`;
}

function longest(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length));
}
