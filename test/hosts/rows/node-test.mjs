import { IMPORTS, passed, STORE_TEST } from '../lib/snippets.mjs';

export const host = 'node:test';
export const how = 'ES module';

export async function run(context) {
  await context.write({ 'a.test.mjs': `${IMPORTS}import { test } from 'node:test';\n${STORE_TEST}` });
  const { stdout } = await context.node(['--test', '--test-reporter=tap', 'a.test.mjs']);
  return [`${passed(stdout, /^# pass (\d+)$/m)} tests passed: testStore, createTestPostern, derive`];
}
