/**
 * A test file's body, for any runner with `test`, and with `assert`, `createTestPostern`, `testStore`, `derive`, `memoryStore` and
 * `isPosternError` in scope.
 */
export const STORE_TEST = `
testStore('memory', () => memoryStore());
test('createTestPostern allows, refuses, and takes what was derived', async () => {
  const { postern, token } = createTestPostern({ now: new Date() });
  const secret = await token({ types: { developer: { scopes: ['models:write'] } } });
  const ask = (token, scope) => postern.authorize({ token, requirement: { scope } });
  assert.equal((await ask(secret, 'models:read')).allowed, true);
  assert.equal((await ask(secret, 'cluster:read')).reason, 'scope_missing');
  await assert.rejects(postern.tokens.create({ name: 'x', types: {} }), (error) => isPosternError(error) && error.code === 'types_missing');
  const narrow = await derive(secret, { scopes: ['models:read'], expiresIn: '5m' });
  assert.equal((await ask(narrow, 'models:read')).allowed, true);
  assert.equal((await ask(narrow, 'models:write')).reason, 'scope_missing');
});
`;

const NAMES = [
  ['postern', ['isPosternError', 'memoryStore']],
  ['postern/testing', ['createTestPostern', 'testStore']],
  ['postern/jwt', ['derive']],
];

export const IMPORTS = `${NAMES.map(([entry, names]) => `import { ${names.join(', ')} } from '${entry}';`).join('\n')}
import assert from 'node:assert/strict';
`;

export const REQUIRES = `${NAMES.map(([entry, names]) => `const { ${names.join(', ')} } = require('${entry}');`).join('\n')}
const assert = require('node:assert/strict');
`;

/** How many tests a runner says that it passed: the suite alone has more than a hundred. */
export function passed(text, pattern) {
  const count = Number(pattern.exec(text)?.[1]);
  if (!(count > 100)) throw new Error(`too few tests ran: ${text.slice(-3000)}`);
  return count;
}

/** A server on \`node:http\`, with SQLite in the file of its first argument: it prints \`ready <port> <token>\`. */
export const SERVER = `
import { createServer } from 'node:http';
import { createPostern } from 'postern';
import { guard } from 'postern/fetch';
import { managementApi, toNodeHandler } from 'postern/management';
import { sqliteStore } from 'postern/stores/sqlite';

const postern = createPostern({ store: sqliteStore({ filename: process.argv[2] }) });
const api = toNodeHandler(managementApi(postern));
const models = toNodeHandler(guard(postern, { scope: 'models:read' }, (_, { principal }) => Response.json(principal)));
const server = createServer((request, response) => (request.url === '/models' ? models : api)(request, response));
postern.tokens
  .create({ name: 'first', owner: 'ann', types: { developer: { scopes: ['models:read', 'iam:write'] } } })
  .then(({ token }) => server.listen(0, '127.0.0.1', () => console.log('ready', server.address().port, token)));
`;

/** Asks such a server as its callers would: refused, allowed, ended through management, refused. */
export async function askServer(base, token) {
  const ask = (path, bearer, init = {}) =>
    fetch(`${base}${path}`, { ...init, headers: bearer === null ? {} : { authorization: `Bearer ${bearer}` } });
  const expect = async (response, status) => {
    const answer = await response;
    if (answer.status !== status)
      throw new Error(`${answer.url} answered ${answer.status}, not ${status}: ${await answer.text()}`);
    return answer;
  };
  await expect(ask('/models', null), 401);
  const principal = await (await expect(ask('/models', token), 200)).json();
  if (principal.owner !== 'ann') throw new Error(`someone else was let in: ${JSON.stringify(principal)}`);
  await expect(ask(`/api/v1/api_tokens/${principal.tokenId}`, token, { method: 'DELETE' }), 200);
  const refused = await expect(ask('/models', token), 401);
  return `401 without a token, 200 with one, then ${refused.status} once management had deleted it`;
}
