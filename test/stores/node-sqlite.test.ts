import { expect, it } from 'vitest';
import { endOf, startProgram } from '../support/programs.js';

/** This Node where it has `node:sqlite`, else one that has it, from npm. */
const node = process.getBuiltinModule('node:sqlite')
  ? [process.execPath]
  : ['npx', '-y', '-p', 'node@22', '--', 'node'];

it('the store suite passes with node:sqlite under node:test', { timeout: 180_000 }, async () => {
  const { code, stdout, stderr } = await endOf(
    startProgram('test/stores/node-sqlite.ts', [], { node, flags: ['--test-reporter=tap'] }),
  );
  expect(code, `${stdout}\n${stderr}`.slice(-4_000)).toBe(0);
  expect(stdout).toMatch(/^# fail 0$/m);
  expect(stdout).toMatch(/^# skipped 0$/m);
  expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(100);
});
