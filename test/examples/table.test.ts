import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../examples/demo/judge.js';
import type { Attempt } from '../../examples/demo/plan.js';
import { printTable } from '../../examples/demo/table.js';
import { createTerminal } from '../../examples/demo/terminal.js';

const attempt: Attempt = {
  who: 'no token',
  tokens: [],
  target: 'summarizer',
  inside: false,
  expected: 'endpoint_not_granted',
  everywhere: false,
};
const right: Verdict = { decision: 'denied', reason: 'token_missing', status: 'UNAUTHENTICATED', wanted: null };
const wrong: Verdict = { decision: 'allowed', reason: null, status: '200', wanted: 'token_missing, 401' };

function print(isTTY: boolean, env: Record<string, string>): string[] {
  const written: string[] = [];
  const output = { isTTY, write: (text: string) => written.push(text) };
  const table = printTable(createTerminal(output, env), [{ title: 'a step', attempts: [attempt] }], ['Express'], []);
  table.step('a step');
  table.row(attempt, 'Express', right);
  table.row(attempt, 'Express', wrong);
  return written
    .join('')
    .split('\n')
    .filter((line) => line !== '');
}

describe('the table of the demo', () => {
  it('is lines of cells between tabs in a pipe', () => {
    expect(print(false, {})).toEqual([
      '5. Attempts',
      'who\twhat\ttransport\tdecision\treason\tstatus\texpected',
      '-- a step',
      'no token\tcall summarizer\tExpress\tdenied\ttoken_missing\tUNAUTHENTICATED\tyes',
      'no token\tcall summarizer\tExpress\tallowed\t-\t200\tUNEXPECTED (wanted token_missing, 401)',
    ]);
  });

  it('has columns on a terminal, and no colours where NO_COLOR is set', () => {
    expect(print(true, { NO_COLOR: '1' })).toEqual([
      '5. Attempts',
      '  who       what             transport  decision  reason                status',
      '  -- a step',
      '  no token  call summarizer  Express    denied    token_missing         UNAUTHENTICATED    ✓',
      '  no token  call summarizer  Express    allowed   -                     200                ✗ expected token_missing, 401',
    ]);
  });

  it('has the same columns in colours on a terminal', () => {
    const coloured = print(true, { NO_COLOR: '' });
    expect(coloured.every((line) => line.includes('\x1b['))).toBe(true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what an escape code begins with
    const plain = coloured.map((line) => line.replaceAll(/\x1b\[\d+m/g, '').trimEnd());
    expect(plain).toEqual(print(true, { NO_COLOR: '1' }));
  });
});
