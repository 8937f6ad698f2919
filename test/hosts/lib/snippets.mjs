/** A test file's body, for any runner with `test`, and with `assert`, `createTestPostern`, `testStore`, `derive`, `memoryStore` in scope. */
export const STORE_TEST = `
testStore('memory', () => memoryStore());
test('createTestPostern allows, refuses, and takes what was derived', async () => {
  const { postern, token } = createTestPostern({ now: new Date() });
  const secret = await token({ types: { developer: { scopes: ['models:write'] } } });
  const ask = (token, scope) => postern.authorize({ token, requirement: { scope } });
  assert.equal((await ask(secret, 'models:read')).allowed, true);
  assert.equal((await ask(secret, 'cluster:read')).reason, 'scope_missing');
  const narrow = await derive(secret, { scopes: ['models:read'], expiresIn: '5m' });
  assert.equal((await ask(narrow, 'models:read')).allowed, true);
  assert.equal((await ask(narrow, 'models:write')).reason, 'scope_missing');
});
`;
