import { IMPORTS, passed, STORE_TEST } from '../lib/snippets.mjs';

export const host = 'Vitest';
export const how = 'environments node, jsdom and happy-dom';

export async function run(context) {
  await context.write({ 'a.test.js': `${IMPORTS}import { test } from 'vitest';\n${STORE_TEST}` });
  const seen = [];
  for (const environment of ['node', 'jsdom', 'happy-dom']) {
    const args = ['run', '--environment', environment, '--reporter', 'dot'];
    const { stdout } = await context.node([context.bin('vitest'), ...args]);
    seen.push(`${environment}: ${passed(stdout, /Tests +(\d+) passed/)} tests passed`);
  }
  return seen;
}
