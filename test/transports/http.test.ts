import { responseTo } from 'postern/fetch';
import { answerTo, readCredential } from 'postern/http';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { thrown } from '../support/outcomes.js';

const one = { token: 'a', malformed: false, proof: null };
const malformed = { token: null, malformed: true, proof: null };

describe('readCredential', () => {
  it.each([
    ['headers of Node', { authorization: 'Bearer a' }],
    ['Headers', new Headers({ authorization: 'Bearer a' })],
    ['a Request', new Request('http://x/', { headers: { authorization: 'Bearer a' } })],
    ['a request of Node', { headers: { authorization: 'Bearer a' }, rawHeaders: ['Authorization', 'Bearer a'] }],
    ['headers, one of which is named headers', { authorization: 'Bearer a', headers: 'x' }],
    ['headers, two of which are named headers', { authorization: 'Bearer a', headers: ['x', 'y'] }],
    ['headers, one of which is named get', { authorization: 'Bearer a', get: 'x' }],
  ])('reads %s', (_, from) => {
    expect(readCredential(from)).toEqual(one);
  });

  it('sees the second Authorization that Node has dropped, where it is given the request', () => {
    const rawHeaders = ['Authorization', 'Bearer a', 'authorization', 'Bearer b'];
    expect(readCredential({ headers: { authorization: 'Bearer a' }, rawHeaders })).toEqual(malformed);
  });

  it('reads the raw token of a header of its own, and takes no two', () => {
    const options = { header: 'X-API-Key' };
    expect(readCredential({ 'x-api-key': 'a' }, options)).toEqual(one);
    expect(readCredential({ 'x-api-key': 'a', authorization: 'Bearer a' }, options)).toEqual(malformed);
    expect(readCredential(new Headers({ authorization: 'Bearer a' }), options).token).toBeNull();
  });

  it('has the proof of a DPoP token, and its target from the request or from its options', () => {
    const headers = { authorization: 'DPoP a', dpop: 'p' };
    const proven = { token: 'a', malformed: false, proof: { jwt: 'p', target: '/x?y' } };
    expect(readCredential({ headers, url: '/x?y' })).toEqual(proven);
    expect(readCredential(new Request('http://h/x?y', { headers }))).toEqual(proven);
    expect(readCredential(headers, { target: '/x?y' })).toEqual(proven);
    expect(readCredential(new Headers(headers), { target: '/x?y' })).toEqual(proven);
  });

  it('refuses options that it does not know', () => {
    expect(thrown(() => readCredential({}, { headr: 'x' } as object))).toMatchObject({ code: 'option_unknown' });
  });
});

describe('answerTo and responseTo', () => {
  it('answer as every guard does, in the realm that they are given', async () => {
    const { postern } = createTestPostern();
    const decision = await postern.authorize({ ...readCredential({}), requirement: { scope: 'models:read' } });
    if (decision.allowed) throw new Error('allowed');
    const answer = answerTo(decision, { realm: 'x' });
    expect(answer).toMatchObject({ status: 401, headers: { 'WWW-Authenticate': 'Bearer realm="x"' } });
    const response = responseTo(decision, { realm: 'x' });
    expect([response.status, await response.text()]).toEqual([answer.status, answer.body]);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="x"');
  });

  it('refuse options that they do not know', async () => {
    const denied = { allowed: false, reason: 'token_missing' } as const;
    expect(thrown(() => answerTo(denied, { relm: 'x' } as object))).toMatchObject({ code: 'option_unknown' });
    expect(thrown(() => responseTo(denied, { realm: '"' }))).toMatchObject({ code: 'option_invalid', path: 'realm' });
  });
});
