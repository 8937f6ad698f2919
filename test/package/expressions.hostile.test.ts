import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { analyse } from 'scslre';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SOURCE = fileURLToPath(new URL('../../src', import.meta.url));

/** The regular expressions of a program for which some text takes a time that grows with the square of its length, or worse. */
function slowIn(text: string): readonly string[] {
  const slow: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      const { reports } = analyse({ source: node.text.slice(1, end), flags: node.text.slice(end + 1) });
      if (reports.length > 0) slow.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('a.tsx', text, ts.ScriptTarget.Latest));
  return slow;
}

describe('regular expressions', () => {
  it.each([
    ['blanks at the end', String.raw`text.replace(/[\t ]+$/, '')`],
    ['two of the same beside each other', `/^[a-z]*[a-z]*:$/.test(text)`],
    ['a repetition of repetitions', `/^(?:a+)+$/.test(text)`],
  ])('%s: are found', (_, text) => {
    expect(slowIn(text)).toHaveLength(1);
  });

  it('of the source take a time that grows with the text alone: callers choose the text', () => {
    const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file));
    const slow = files.flatMap((file) =>
      slowIn(readFileSync(`${SOURCE}/${file}`, 'utf8')).map((expression) => `${file}: ${expression}`),
    );
    expect(slow).toEqual([]);
  });
});
