import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('timeouts, leaving clients, broken bodies and late throws neither end the process nor mix two answers', async () => {
  const script = fileURLToPath(new URL('answers-child.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect([await ended, stderr]).toEqual([[0, null], '']);
  const answers = JSON.parse(stdout) as string[];
  // Each complete answer is one that a handler or guard sent.
  const whole = /^(200 (\{"|reached$)|200 half of $|401 \{"|40[04] |403 \{"|405 |415 |418 half of $|500 |503 timeout$)/;
  expect(answers.filter((each) => !whole.test(each))).toEqual([]);
  expect(answers.some((each) => each.startsWith('200 {'))).toBe(true);
});
