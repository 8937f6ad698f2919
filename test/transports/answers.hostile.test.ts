import { expect, test } from 'vitest';
import { endOf, startProgram } from '../support/programs.js';

test('timeouts, leaving clients, broken bodies and late throws neither end the process nor mix two answers', async () => {
  const { code, stdout, stderr } = await endOf(startProgram('test/transports/answers-child.ts'));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const answers = JSON.parse(stdout) as string[];
  // Each complete answer is one that a handler or guard sent.
  const whole = /^(200 (\{"|reached$)|200 half of $|401 \{"|40[04] |403 \{"|405 |415 |418 half of $|500 |503 timeout$)/;
  expect(answers.filter((each) => !whole.test(each))).toEqual([]);
  expect(answers.some((each) => each.startsWith('200 {'))).toBe(true);
});
