export const host = 'Jest 30';
export const how = 'CommonJS, jest-environment-jsdom';

export async function run(context) {
  await context.write({
    'package.json': { name: 'app', private: true, jest: { testEnvironment: 'jsdom' } },
    'a.test.js': `const { createTestPostern } = require('postern/testing');
test('makes tokens, allows and refuses beside a page', async () => {
  expect(document.body).toBeTruthy();
  const { postern, token } = createTestPostern();
  const secret = await token({ types: { developer: { scopes: ['models:read'] } } });
  expect((await postern.authorize({ token: secret, requirement: { scope: 'models:read' } })).allowed).toBe(true);
  expect((await postern.authorize({ token: secret, requirement: { scope: 'iam:read' } })).reason).toBe('scope_missing');
});`,
  });
  const { stderr } = await context.node([context.bin('jest'), '--ci']);
  if (!/^Tests: +1 passed, 1 total$/m.test(stderr)) throw new Error(stderr);
  return [
    'createTestPostern makes tokens, allows and refuses. postern/jwt does not load: this environment hides TextEncoder and Web Crypto',
  ];
}
