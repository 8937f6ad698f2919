import { PosternError } from 'postern';
import { describe, expect, test } from 'vitest';
import { answer, approve, asking, begin, CODE, collect, MINUTE, READ } from './logins.js';
import { type World, world } from './world.js';

describe('logins that wait', () => {
  const clientAddress = ({ headers }: Request) => headers.get('x-test-address');
  const beginFrom = async ({ api }: World, address: string) => {
    const request = new Request(`https://acme.dev${CODE}`, { headers: { 'x-test-address': address } });
    return (await api(request)).status;
  };

  test('are bounded in all, also from more addresses than are remembered', async () => {
    const made = await world({ options: { clientAddress } });
    let begun = 0;
    // Each address has a network of its own.
    for (let i = 0; i < 25_000; i++) {
      const address = `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`;
      if ((await beginFrom(made, address)) === 200) begun++;
    }
    expect(begun).toBe(6_000);
    expect(made.store.count('putEntry')).toBe(6_000);
  });

  test('are bounded by network, in every spelling of its addresses', async () => {
    const made = await world({ options: { clientAddress } });
    const addresses = [
      '2001:db8::1',
      '2001:db8:0:0:1::',
      '2001:0DB8:0000:0000:ffff:ffff:ffff:ffff',
      '2001:db8::2%eth0',
    ];
    const statuses: number[] = [];
    for (let i = 0; i < 304; i++) statuses.push(await beginFrom(made, addresses[i % 4] as string));
    expect(statuses.filter((status) => status === 429)).toHaveLength(4);
    expect(await beginFrom(made, '2001:db8:0:1::1')).toBe(200);
    expect(await beginFrom(made, '192.0.2.1:4711')).toBe(200);
    expect(await beginFrom(made, ':::::')).toBe(200);
  });

  test('are removed from the store when they have ended', async () => {
    const made = await world();
    const codes: string[] = [];
    for (let i = 0; i < 30; i++) codes.push(await begin(made));
    made.clock.advance(5 * MINUTE);
    for (const code of codes) {
      expect((await collect(made, code)).body.code).toBe('expired_token');
      expect((await approve(made, code)).status).toBe(404);
    }
  });
});

describe('an approval that can not be stored is refused', () => {
  test.each([
    ['for an invisible name', { name: ' ' }, 'input_invalid', 'name'],
    ['for a name that is too long', { name: 'x'.repeat(201) }, 'input_invalid', 'name'],
    ['for a name with NUL', { name: 'a\0b' }, 'input_invalid', 'name'],
    ['for a name with half a surrogate pair', { name: '\ud800' }, 'input_invalid', 'name'],
    ['for an empty lifetime', { expires_in: '0s' }, 'expiry_past', 'expires_in'],
  ])('%s', async (_, json, code, path) => {
    const made = await world();
    const login = await begin(made);
    const refused = await approve(made, login, { ...READ, ...json });
    expect([refused.status, refused.body.code, refused.body.path]).toEqual([400, code, path]);
    // The corrected approval succeeds, and the terminal gets its token.
    expect((await approve(made, login)).status).toBe(200);
    expect((await collect(made, login)).status).toBe(200);
  });

  test('but not because of a long address of its approver', async () => {
    const made = await world({ options: { clientAddress: () => 'x'.repeat(200) } });
    const login = await begin(made);
    expect((await approve(made, login)).status).toBe(200);
    expect((await collect(made, login)).status).toBe(200);
  });
});

test('an approval with a deleted endpoint is refused, and without it accepted', async () => {
  const made = await world();
  const types = { user: { endpoints: ['a'] }, ...READ.types };
  const code = await begin(made, `${CODE}?${asking(types)}`);
  await made.postern.endpoints.delete('a', { organization: 'acme' });
  const refused = await approve(made, code, {}, { person: 'ada' });
  expect([refused.status, refused.body.code]).toEqual([403, 'endpoint_not_granted']);
  expect((await approve(made, code, READ, { person: 'ada' })).status).toBe(200);
  expect((await collect(made, code)).status).toBe(200);
});

describe('between approval and collection', () => {
  test.each([
    ['the approver loses the right to manage', { developer: { scopes: ['models:write'] } }],
    ['the approver loses the approved grants', { developer: { scopes: ['iam:write'] } }],
  ])('%s, so nothing is made and the code is used up', async (_, types) => {
    const made = await world();
    const login = await begin(made);
    expect((await approve(made, login, { scopes: ['models:read'] }, { token: 'writer' })).status).toBe(200);
    await made.postern.tokens.update(made.tokens.writer?.id as string, { types: types as never });
    const written = made.store.count('insertTokens');
    expect((await collect(made, login)).body.code).toBe('access_denied');
    expect((await collect(made, login)).body.code).toBe('expired_token');
    expect(made.store.count('insertTokens')).toBe(written);
  });

  test('the approver is revoked while the terminal collects, so nothing is made', async () => {
    const made = await world();
    const login = await begin(made);
    await approve(made, login, { scopes: ['models:read'] }, { token: 'writer' });
    const gate = made.store.hold('deleteEntry', 'after');
    const collecting = collect(made, login);
    const held = await gate.next();
    await made.postern.tokens.revoke(made.tokens.writer?.id as string);
    held.release();
    expect((await collecting).body.code).toBe('access_denied');
    expect((await made.postern.tokens.list({ search: 'Login from' })).items).toEqual([]);
  });

  test('a failing store is reported as an outage, not as a refusal by the approver', async () => {
    const made = await world();
    for (const [error, status, code] of [
      [new Error('down'), 503, 'unavailable'],
      [new PosternError('option_invalid', 'bad random'), 500, 'internal_error'],
    ] as const) {
      const login = await begin(made);
      await approve(made, login);
      made.store.fail('insertTokens', 'reject', error);
      const { status: got, body } = await collect(made, login);
      expect([got, body.code]).toEqual([status, code]);
      made.store.mend();
      expect((await collect(made, login)).body.code).toBe('expired_token');
    }
    expect(made.errors).toHaveLength(2);
  });

  test('of two concurrent collections one gets the token, and of two concurrent answers one counts', async () => {
    const made = await world();
    const login = await begin(made);
    const answers = await Promise.all([
      approve(made, login),
      approve(made, login, READ, { person: 'ada' }),
      answer(made, login, '/deny', {}),
      approve(made, login, READ, { person: 'eve' }),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const after = await Promise.all(Array.from({ length: 10 }, () => collect(made, login)));
    expect(after.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    const again = await answer(made, login, '/deny', {});
    expect([404, 409]).toContain(again.status);
  });
});
