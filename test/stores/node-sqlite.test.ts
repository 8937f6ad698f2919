import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const script = fileURLToPath(new URL('./node-sqlite.ts', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

/** This Node where it has `node:sqlite`, else one that has it, from npm. */
const command = process.getBuiltinModule('node:sqlite')
  ? [process.execPath]
  : ['npx', '-y', '-p', 'node@22', '--', 'node'];

it('the store suite passes with node:sqlite under node:test', { timeout: 180_000 }, async () => {
  const [program, ...first] = command as [string, ...string[]];
  const child = spawn(program, [...first, '--import', 'tsx', '--test-reporter=tap', script], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  expect(code, `${output}\n${errors}`.slice(-4_000)).toBe(0);
  expect(output).toMatch(/^# fail 0$/m);
  expect(output).toMatch(/^# skipped 0$/m);
  expect(Number(/^# pass (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(100);
});
