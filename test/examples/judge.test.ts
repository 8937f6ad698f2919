import { expect, it } from 'vitest';
import type { Client } from '../../examples/demo/clients/client.js';
import { judge } from '../../examples/demo/judge.js';
import type { Attempt } from '../../examples/demo/plan.js';
import { runPlan } from '../../examples/demo/run.js';
import { createWitness } from '../../examples/demo/witness.js';

const ok = { ok: true, status: '200' };

it.each([
  ['allowed', ok, null, null],
  ['allowed', { ok: false, status: '401' }, 'token_missing', 'allowed'],
  // A router's own 404 is no decision of a guard.
  ['endpoint_private', { ok: false, status: '404' }, null, 'endpoint_private, 404'],
  ['endpoint_private', { ok: false, status: '404' }, 'endpoint_private', null],
  ['endpoint_private', { ok: false, status: '404' }, 'endpoint_unknown', 'endpoint_private, 404'],
  ['endpoint_private', ok, null, 'endpoint_private, 404'],
  // The right reason in the wrong form.
  ['token_missing', { ok: false, status: '403' }, 'token_missing', 'token_missing, 401'],
  // The handler ran although the guard had refused.
  ['allowed', ok, 'token_missing', 'allowed'],
] as const)('wants %s, gets %j and %s: %s', (expected, answer, reason, wanted) => {
  expect(judge(expected, 'http', answer, reason).wanted).toBe(wanted);
});

it('counts what was not expected, and asks the programs of others a part only', async () => {
  const called: string[] = [];
  const witness = createWitness();
  const client = (transport: string, status: string, reason: 'token_missing' | 'token_unknown'): Client => ({
    transport,
    protocol: 'http',
    async call({ target }) {
      called.push(`${transport} ${target}`);
      witness.onDenied({ allowed: false, reason });
      return { ok: false, status };
    },
  });
  const attempt = { who: 'no token', tokens: [], inside: false, expected: 'token_missing' } as const;
  const attempts: Attempt[] = [
    { ...attempt, target: 'summarizer', everywhere: true },
    { ...attempt, target: 'read models', everywhere: false },
  ];
  const rows: (string | null)[] = [];
  const score = await runPlan(
    [{ title: 'a step', change: async () => called.push('change'), attempts }],
    { own: [client('right', '401', 'token_missing')], others: [client('wrong', '401', 'token_unknown')] },
    witness,
    { step: (title) => called.push(title), row: (_attempt, _transport, { wanted }) => rows.push(wanted) },
    new AbortController().signal,
  );
  expect(called).toEqual(['change', 'a step', 'right summarizer', 'wrong summarizer', 'right read models']);
  expect(score).toEqual({ total: 3, unexpected: 1 });
  expect(rows).toEqual([null, 'token_missing, 401', null]);
});
