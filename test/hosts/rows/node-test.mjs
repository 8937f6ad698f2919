import { STORE_TEST } from '../lib/snippets.mjs';

export const host = 'node:test';
export const how = 'ES module';

export async function run(context) {
  const imports = `import { memoryStore } from 'postern';
import { createTestPostern, testStore } from 'postern/testing';
import { derive } from 'postern/jwt';
import { test } from 'node:test';
import assert from 'node:assert/strict';`;
  await context.write({ 'a.test.mjs': `${imports}\n${STORE_TEST}` });
  const { stdout } = await context.node(['--test', '--test-reporter=tap', 'a.test.mjs']);
  const passed = Number(/^# pass (\d+)$/m.exec(stdout)?.[1]);
  if (!(passed > 100)) throw new Error(`too few tests ran: ${stdout.slice(-2000)}`);
  return [`${passed} tests passed: testStore, createTestPostern, derive`];
}
