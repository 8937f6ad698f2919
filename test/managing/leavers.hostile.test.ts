import { memoryStore } from 'postern';
import type { NewToken } from 'postern/store';
import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { internalsOf } from '../../src/instance/internals.js';
import { Leavers } from '../../src/managing/leavers.js';
import { all, principalOf, shortLived, turn } from '../support/lives.js';
import { refusal } from '../support/outcomes.js';

const HOUR = 3_600_000;

describe('a leaver', () => {
  test('makes personal tokens only, unless the application allows the other', async () => {
    const world = createTestPostern();
    const { principal, hers } = await shortLived(world);
    const made = hers.tokens.create({ name: 'x', types: all, ownership: 'organization' });
    expect((await refusal(made)).code).toBe('owner_forbidden');
    const allowed = world.postern.as(principal, { ownership: 'organization' });
    const { record } = await allowed.tokens.create({ name: 'x', types: all, ownership: 'organization' });
    expect(record.ownership).toBe('organization');
  });

  test.each([
    ['of the organization', { ownership: 'organization' }],
    ["of the organization, made in the leaver's name", { ownership: 'organization', owner: 'ann' }],
    ['of nobody', {}],
    ['of someone else', { owner: 'bob' }],
  ] as const)('takes no new secret %s along, which would be theirs still', async (_, of) => {
    const world = createTestPostern();
    const { postern } = world;
    const ann = await postern.tokens.create({ name: 'x', types: all, owner: 'ann' });
    const principal = await principalOf(postern, ann.token);
    const { token, record } = await postern.tokens.create({ name: 'prod', types: all, ...of });
    expect((await refusal(postern.as(principal).tokens.rotate(record.id))).code).toBe('owner_forbidden');
    expect((await postern.authenticate(token)).ok).toBe(true);
    const rotated = postern.as(principal, { ownership: 'organization' }).tokens.rotate(record.id);
    const allowed = await rotated.then(
      () => true,
      () => false,
    );
    expect(allowed).toBe(record.owner !== 'bob');
  });

  test("an organization's token rotates itself: whoever holds it has its secret already", async () => {
    const { postern } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'prod', types: all, ownership: 'organization' });
    const rotated = await postern.as(await principalOf(postern, token)).tokens.rotate(record.id);
    expect((await postern.authenticate(rotated.token)).ok).toBe(true);
  });

  test('who makes tokens all the while has none when it is over', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types: all, owner: 'ann' });
    const hers = postern.as(await principalOf(postern, token));
    const tokens: string[] = [token];
    let over = false;
    const minting = Promise.all(
      [1, 2, 3].map(async () => {
        while (!over) {
          await turn();
          await hers.tokens.create({ name: 'more', types: all }).then(
            (made) => tokens.push(made.token),
            () => {},
          );
        }
      }),
    );
    while (tokens.length < 30) await turn();
    await postern.tokens.revokeOwned({ owner: 'ann' });
    over = true;
    await minting;
    for (const each of tokens) expect((await postern.authenticate(each)).ok).toBe(false);
  });

  test.each([
    ['token', 'issuance_forbidden'],
    ['session', 'issuance_forbidden'],
    ['application', 'conflict'],
    ['import', 'conflict'],
  ] as const)('whose token is on its way to the store when it is over has none (%s)', async (by, code) => {
    const store = controlledStore(memoryStore());
    const importedTokens = [
      { pattern: /^old_([a-z0-9]{40})$/, secret: (match: RegExpExecArray) => match[1] as string },
    ];
    const { postern, clock } = createTestPostern({ store, importedTokens });
    const session = { organization: 'default', owner: 'ann', types: all } as const;
    const make = async () => {
      const mine = { name: 'late', types: all, owner: 'ann' };
      if (by === 'application') return postern.tokens.create(mine);
      if (by === 'import') return postern.tokens.import({ ...mine, digest: 'ab'.repeat(32) });
      const { token } = await postern.tokens.create({ name: 'x', types: all, owner: 'ann' });
      return postern.as(by === 'token' ? await principalOf(postern, token) : session).tokens.create(mine);
    };
    // A run every day: the one of the day before is forgotten when the next one begins.
    await postern.tokens.revokeOwned({ owner: 'ann' });
    clock.advance(24 * HOUR - 1_000);
    const gate = store.hold('insertTokens', 'before');
    const late = make();
    let held = await gate.next();
    if (by === 'token' || by === 'session') {
      held.release();
      held = await gate.next();
    }
    gate.end();
    clock.advance('2s');
    await postern.tokens.revokeOwned({ owner: 'ann' });
    held.release();
    expect((await refusal(late)).code).toBe(code);
    const left = (await postern.tokens.list()).items.filter(({ revokedAt }) => revokedAt === null);
    expect(left).toEqual([]);
  });

  test('the application makes nothing for them while they are ended, and what it makes for others stays', async () => {
    const store = controlledStore(memoryStore());
    const { postern } = createTestPostern({ store });
    const { record } = await postern.tokens.create({ name: 'x', types: all, owner: 'ann' });
    const gate = store.hold('revokeToken', 'before');
    const ending = postern.tokens.revokeOwned({ owner: 'ann' });
    const held = await gate.next();
    gate.end();
    const more = { name: 'more', types: all } as const;
    expect((await refusal(postern.tokens.create({ ...more, owner: 'ann' }))).code).toBe('conflict');
    for (const other of [{ owner: 'bob' }, {}, { owner: 'ann', ownership: 'organization' as const }]) {
      await postern.tokens.create({ ...more, ...other });
    }
    held.release();
    expect(await ending).toBe(1);
    const { record: back } = await postern.tokens.create({ ...more, owner: 'ann' });
    const { items } = await postern.tokens.list({ owner: 'ann', ownership: 'personal' });
    expect(items.map(({ id, revokedAt }) => [id, revokedAt === null]).sort()).toEqual(
      [
        [record.id, false],
        [back.id, true],
      ].sort(),
    );
  });

  test('two runs at once both come to their end, and what was made behind the first ends with the second', async () => {
    const store = controlledStore(memoryStore());
    const { postern } = createTestPostern({ store });
    await postern.tokens.create({ name: 'x', types: all, owner: 'ann' });
    // The second has looked at every token, and not lowered the barrier yet.
    const gate = store.hold('listTokens', 'after');
    const second = postern.tokens.revokeOwned({ owner: 'ann' });
    const looked = await gate.next();
    gate.end();
    await postern.tokens.revokeOwned({ owner: 'ann' });
    const { token } = await postern.tokens.create({ name: 'between', types: all, owner: 'ann' });
    looked.release();
    await second;
    expect((await postern.authenticate(token)).ok).toBe(false);
  });

  test('whose tokens something goes on to make past the barrier is told of, by the last of them', async () => {
    const inner = memoryStore();
    let made: NewToken;
    let copies = 0;
    // A process that does not know of the barrier: with each token that ends it makes another one.
    const copy = () => {
      const { token, secret, change } = made;
      copies++;
      const copied = { ...token, id: `past${copies}` };
      return inner.insertTokens([{ token: copied, secret: { ...secret, digest: `${copies}`, key: null }, change }]);
    };
    const { postern } = createTestPostern({
      store: {
        ...inner,
        insertTokens(tokens) {
          [made] = tokens as [NewToken];
          return inner.insertTokens(tokens);
        },
        async revokeToken(...args) {
          await copy();
          return inner.revokeToken(...args);
        },
      },
    });
    await postern.tokens.create({ name: 'x', types: all, owner: 'ann' });
    const refused = await refusal(postern.tokens.revokeOwned({ owner: 'ann' }));
    expect([refused.code, refused.message]).toEqual(['conflict', expect.stringMatching(/past\d+.*audit log/)]);
    expect(copies).toBeLessThan(20);
  });

  test('who is back makes tokens again', async () => {
    const { postern } = createTestPostern();
    await postern.tokens.revokeOwned({ owner: 'ann' });
    const again = postern.as({ organization: 'default', owner: 'ann', types: all });
    expect((await again.tokens.create({ name: 'x', types: all })).record.owner).toBe('ann');
  });

  test('is not ended by another name that reads alike', async () => {
    const { postern } = createTestPostern();
    const names = ['ann', 'Ann', 'änn', 'a\u0308nn', '["default","ann"]'];
    const made = await Promise.all(names.map((owner) => postern.tokens.create({ name: 'x', types: all, owner })));
    expect(await postern.tokens.revokeOwned({ owner: 'änn' })).toBe(1);
    const alive = await Promise.all(made.map(async ({ token }) => (await postern.authenticate(token)).ok));
    expect(alive).toEqual([true, true, false, true, true]);
  });
});

test('a run that took so long that its barrier fell lowers no barrier of another run', async () => {
  const { postern, clock } = createTestPostern();
  const leavers = new Leavers(internalsOf(postern).ground);
  const slow = await leavers.begin('default', 'ann');
  clock.advance('6m');
  const other = await leavers.begin('default', 'ann');
  expect(await leavers.end('default', 'ann', slow)).toBe(false);
  expect(await leavers.standing('default', 'ann')).toMatchObject({ ending: true });
  expect(await leavers.end('default', 'ann', other)).toBe(true);
});
