import { describe, expect, it } from 'vitest';
import {
  type Answer,
  type Attempt,
  type Client,
  createTerminal,
  judge,
  runSteps,
  type Told,
} from '../../examples/demo/attempts.js';

const ok = { ok: true, status: '200' };

describe('an outcome of the demo', () => {
  it.each([
    ['allowed', ok, null, null],
    ['allowed', { ok: false, status: '401' }, 'token_missing', 'allowed'],
    // A 404 of the router is not a decision of a guard.
    ['endpoint_private', { ok: false, status: '404' }, null, 'endpoint_private, 404'],
    ['endpoint_private', { ok: false, status: '404' }, 'endpoint_private', null],
    ['endpoint_private', { ok: false, status: '404' }, 'endpoint_unknown', 'endpoint_private, 404'],
    ['endpoint_private', ok, null, 'endpoint_private, 404'],
    // The right reason with the wrong status.
    ['token_missing', { ok: false, status: '403' }, 'token_missing', 'token_missing, 401'],
    // The handler ran although the guard denied.
    ['allowed', ok, 'token_missing', 'allowed'],
  ] as const)('expected as %s and answered %j with the reason %s is judged %s', (expected, answer, reason, wanted) => {
    expect(judge(expected, 'http', answer, reason)).toBe(wanted);
  });
});

describe('the table of the demo', () => {
  const attempt: Attempt = { who: 'no token', tokens: [], target: 'summarizer', expected: 'token_missing' };
  const steps = [
    { title: 'a step', attempts: [{ ...attempt, everywhere: true }, { ...attempt, target: 'metrics' } as const] },
  ];

  /** Runs one step with a client that is rightly denied, and a slow one that is wrongly let through. */
  async function print(output: { isTTY?: boolean; hasColors?: () => boolean }) {
    const told: Told = { reason: null };
    const client = (transport: string, answer: Answer, reason: Told['reason'], slow: boolean): Client => ({
      transport,
      protocol: 'http',
      slow,
      async call() {
        told.reason = reason;
        return answer;
      },
    });
    const clients = [
      client('Express', { ok: false, status: '401' }, 'token_missing', false),
      client('curl', ok, null, true),
    ];
    const written: string[] = [];
    const terminal = createTerminal({ ...output, write: (text) => written.push(text) });
    const unexpected = await runSteps(steps, clients, told, terminal, new AbortController().signal);
    const lines = written.join('').split('\n');
    return { unexpected, lines: lines.filter((line) => line !== '') };
  }

  it('has tabs in a pipe, counts the unexpected decision, and leaves some calls to the fast client', async () => {
    const { unexpected, lines } = await print({});
    expect(unexpected).toBe(1);
    expect(lines.slice(0, 5)).toEqual([
      'who\twhat\ttransport\tdecision\treason\tstatus\texpected',
      '-- a step',
      'no token\tcall summarizer\tExpress\tdenied\ttoken_missing\t401\tyes',
      'no token\tcall summarizer\tcurl\tallowed\t-\t200\tUNEXPECTED (wanted token_missing, 401)',
      'no token\tcall metrics\tExpress\tdenied\ttoken_missing\t401\tyes',
    ]);
    expect(lines.at(-1)).toBe('1 of 3 decisions were not the expected ones.');
  });

  it('has columns on a terminal, and the same ones in colours', async () => {
    const { lines } = await print({ isTTY: true, hasColors: () => false });
    expect(lines.slice(0, 5)).toEqual([
      '  who       what             transport  decision  reason         status',
      '  -- a step',
      '  no token  call summarizer  Express    denied    token_missing  401                ✓',
      '  no token  call summarizer  curl       allowed   -              200                ✗ expected token_missing, 401',
      '  no token  call metrics     Express    denied    token_missing  401                ✓',
    ]);
    const coloured = (await print({ isTTY: true, hasColors: () => true })).lines;
    expect(coloured.every((line) => line.includes('\x1b['))).toBe(true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape code begins with it
    expect(coloured.map((line) => line.replaceAll(/\x1b\[\d+m/g, '').trimEnd())).toEqual(lines);
  });
});
