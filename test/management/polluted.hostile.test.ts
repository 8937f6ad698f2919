import { describe, expect, test } from 'vitest';
import { polluted } from '../support/polluted.js';
import { answerOf, init, NOBODY, world } from './world.js';

const everything = { scopes: ['*'] };

/** Keys that code of this kind reads, with an attacker's values. */
const POLLUTION: readonly (readonly [string, unknown])[] = [
  ['owner', 'evil'],
  ['organization', 'other'],
  ['ownership', 'organization'],
  ['types', { developer: everything }],
  ['developer', everything],
  ['scopes', ['*']],
  ['endpoints', '*'],
  ['expires_in', '1d'],
  ['expired_at', null],
  ['grace', '1d'],
  ['labels', [{ key: 'x', value: 'x' }]],
  ['identify', () => ({ owner: 'boss', types: { developer: everything } })],
  ['person', { owner: 'boss', types: {} }],
  ['session', true],
  ['sameOrigin', false],
  ['ambient', false],
  ['once', false],
  ['permit', null],
  ['oauth', true],
  ['query', {}],
  ['kind', 'person'],
  ['issues', true],
  ['challenge', null],
  ['approval', {}],
  ['status', 'approved'],
  ['headers', { 'x-evil': '1' }],
  ['members', { evil: true }],
  ['allowed', true],
  ['principal', {}],
  ['manageTokens', 'models:read'],
  ['listTokens', 'models:read'],
];

/** The answers of an API made before or now to callers of every kind, without ids and secrets. */
async function answers(made: Awaited<ReturnType<typeof world>>): Promise<string[]> {
  const said: string[] = [];
  const types = { developer: { scopes: ['models:read'] } };
  for (const who of [
    {},
    { token: 'admin' },
    { token: 'modeller' },
    { token: 'user' },
    { person: 'ada' },
    { person: 'bob' },
  ]) {
    for (const [method, path, json] of [
      ['GET', '/api/v1/session'],
      ['GET', '/api/v1/api_tokens?search=nothing'],
      ['POST', '/api/v1/api_tokens', { name: 'x', types }],
      ['POST', '/api/v1/api_tokens', { name: 'x' }],
      ['PATCH', `/api/v1/api_tokens/${NOBODY}`, { name: 'x' }],
      ['PATCH', `/api/v1/api_tokens/${made.tokens.everywhere?.id}`, { description: 'x' }],
      ['POST', '/api/v1/endpoints', { id: 'a', access: 'public' }],
      ['GET', '/api/v1/audit?type=token.deleted'],
      ['POST', `/api/v1/auth/requests/${'a'.repeat(22)}/approve`, {}],
      ['GET', `/api/v1/auth/token?code=${'a'.repeat(22)}`],
    ] as const) {
      const asked = init({ method, ...who, ...(json !== undefined && { json }) }, made.tokens);
      const { status, text } = await answerOf(await made.api(new Request(`https://acme.dev${path}`, asked)));
      const bare = text.replace(/"(uid|token|hint)":"[^"]*"/g, '').replace(/"(created|updated)_at":"[^"]*"/g, '');
      said.push(`${JSON.stringify(who)} ${method} ${path} ${status} ${bare}`);
    }
  }
  return said;
}

describe('a polluted Object.prototype', () => {
  test.each(POLLUTION)('with %s changes no answer', async (key, value) => {
    const made = await world();
    const expected = await answers(made);
    const got = await polluted({ [key]: value }, () => answers(made));
    expect(got).toEqual(expected);
  });
});
