import { spread, verdict } from './figures.mjs';

/** A Markdown table whose columns also line up on a terminal. */
export function table(head, rows) {
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [line(all[0]), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...all.slice(1).map(line)].join(
    '\n',
  );
}

/** What a group found: `{ tables: [{ title?, head, rows }], notes?, goals }`. */
export function section(name, title, { tables, notes = [] }) {
  const parts = [`## ${name}: ${title}`];
  for (const each of tables) {
    if (each.title) parts.push(`**${each.title}**`);
    parts.push(table(each.head, each.rows));
  }
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

/** The goals, in the order of their numbers. */
export function summary(goals) {
  const byNumber = [...goals].sort((a, b) => Number.parseFloat(a.goal) - Number.parseFloat(b.goal));
  const rows = byNumber.map((goal) => [
    goal.goal,
    goal.what,
    wanted(goal),
    spread(goal.values, goal.unit),
    verdict(goal),
  ]);
  return `## Summary\n\n${table(['goal', 'what', 'wanted', 'measured: median (min to max)', 'verdict'], rows)}\n`;
}

function wanted({ atLeast, atMost, stretch, unit = '' }) {
  const sign = atLeast === undefined ? '≤' : '≥';
  const limit = (atLeast ?? atMost).toLocaleString('en-US');
  return `${sign} ${limit}${unit}${stretch === undefined ? '' : `, stretch ${stretch.toLocaleString('en-US')}${unit}`}`;
}
