import { passed, REQUIRES, STORE_TEST } from '../lib/snippets.mjs';

export const host = 'Jest 30';
export const how = 'CommonJS, as it comes: no flag, no transform of packages';

export async function run(context) {
  await context.write({
    'package.json': { name: 'app', private: true, jest: { testEnvironment: 'node' } },
    'a.test.js': `${REQUIRES}${STORE_TEST}`,
  });
  const { stderr } = await context.node([context.bin('jest'), '--ci']);
  return [`${passed(stderr, /^Tests: +(\d+) passed/m)} tests passed: testStore, createTestPostern, derive`];
}
