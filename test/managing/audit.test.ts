import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, START } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;

describe('the audit log', () => {
  test('tells who changed what, when and from where, with the state before and after', async () => {
    const { postern, clock } = createTestPostern();
    const admin = await postern.tokens.create({ name: 'admin', owner: 'ada', types: { developer: { scopes: ['*'] } } });
    const identity = await postern.authenticate(admin.token);
    if (!identity.ok) throw new Error(identity.reason);
    const ada = postern.as(identity.principal, { from: '203.0.113.9' });
    clock.advance(1000);
    const { record } = await ada.tokens.create({ name: 'ci', types });
    clock.advance(1000);
    await ada.tokens.update(record.id, { name: 'nightly' });
    clock.advance(1000);
    await postern.tokens.delete(record.id);

    const { items } = await postern.audit.list({ subject: record.id });
    expect(items.map(({ type }) => type)).toEqual(['token.deleted', 'token.updated', 'token.created']);
    expect(items[1]).toMatchObject({
      at: new Date(START + 2000),
      actor: { kind: 'principal', tokenId: admin.record.id, owner: 'ada' },
      from: '203.0.113.9',
      organization: 'default',
      before: { name: 'ci' },
      after: { name: 'nightly', id: record.id },
    });
    expect(items[2]).toMatchObject({ before: null, after: { name: 'ci', owner: 'ada' } });
    expect(items[0]).toMatchObject({
      actor: { kind: 'application' },
      from: null,
      before: { name: 'nightly' },
      after: null,
    });
  });

  test('holds no secret', async () => {
    const { postern } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    const rotated = await postern.tokens.rotate(record.id, { grace: '1h' });
    const { items } = await postern.audit.list();
    expect(items).toHaveLength(2);
    for (const secret of [token, rotated.token]) expect(JSON.stringify(items)).not.toContain(secret.slice(10));
  });

  test('pages newest first, by organization, type and subject', async () => {
    const { postern, clock } = createTestPostern();
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      await postern.endpoints.create({ id, access: 'public' });
      clock.advance(id === 'b' ? 0 : 1);
    }
    await postern.endpoints.create({ id: 'x', access: 'public' }, { organization: 'other' });
    const subjects: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof postern.audit.list>> = await postern.audit.list({ limit: 2, cursor });
      subjects.push(...page.items.map(({ subject }) => subject));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(subjects).toHaveLength(5);
    expect([...subjects].sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(subjects[0]).toBe('e');
    expect((await postern.audit.list({ organization: '*' })).items).toHaveLength(6);
    expect((await postern.audit.list({ type: 'endpoint.deleted' })).items).toEqual([]);
  });

  test('is searched by the actor: an owner, a token, or the application; another organization is not', async () => {
    const { postern, token, clock } = createTestPostern();
    const types = { developer: { scopes: ['*'] as const } };
    const made = [
      await token({ name: 'by ada', owner: 'ada', types }),
      await token({ name: 'by bob', owner: 'bob', types }),
    ];
    for (const text of made) {
      clock.advance(1000);
      const authentication = await postern.authenticate(text);
      if (!authentication.ok) throw new Error(authentication.reason);
      const { principal } = authentication;
      await postern.as(principal).endpoints.create({ id: `of-${principal.owner}`, access: 'private' });
    }
    const subjects = async (actor: string) => (await postern.audit.list({ actor })).items.map(({ subject }) => subject);
    expect(await subjects('ada')).toEqual(['of-ada']);
    const [entry] = (await postern.audit.list({ actor: 'bob' })).items;
    const tokenId = entry?.actor.kind === 'principal' ? entry.actor.tokenId : 'none';
    expect(await subjects(tokenId)).toEqual(['of-bob']);
    expect(await subjects('application')).toHaveLength(2);
    expect(await subjects('ad')).toEqual([]);
    expect((await postern.audit.list({ organization: 'other', actor: 'ada' })).items).toEqual([]);
    await expect(postern.audit.list({ actor: '' })).rejects.toMatchObject({ code: 'input_invalid', path: 'actor' });
  });

  test('lists the changes since one time and until another, page by page, also in a search without an index', async () => {
    const { postern, clock } = createTestPostern();
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      await postern.endpoints.create({ id, access: 'public' });
      clock.advance(1000);
    }
    const at = (seconds: number) => new Date(START + seconds * 1000);
    const subjects = async (query: Parameters<typeof postern.audit.list>[0]) => {
      const found: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof postern.audit.list>> = await postern.audit.list({
          ...query,
          limit: 1,
          cursor,
        });
        found.push(...page.items.map(({ subject }) => subject));
        cursor = page.nextCursor;
      } while (cursor !== null);
      return found;
    };
    for (const search of [{}, { type: 'endpoint.created' }] as const) {
      expect(await subjects({ ...search, since: at(3) })).toEqual(['e', 'd']);
      expect(await subjects({ ...search, until: at(2) })).toEqual(['b', 'a']);
      expect(await subjects({ ...search, since: at(1), until: at(4) })).toEqual(['d', 'c', 'b']);
      expect(await subjects({ ...search, since: at(4), until: at(4) })).toEqual([]);
      expect(await subjects({ ...search, since: new Date(-1) })).toEqual(['e', 'd', 'c', 'b', 'a']);
    }
  });

  test('does not go back to later changes if a cursor comes with an earlier until', async () => {
    const { postern, clock } = createTestPostern();
    for (const id of ['a', 'b', 'c']) {
      await postern.endpoints.create({ id, access: 'public' });
      clock.advance(1000);
    }
    const { nextCursor: cursor } = await postern.audit.list({ limit: 1 });
    const { items } = await postern.audit.list({ cursor, until: new Date(START + 1000) });
    expect(items.map(({ subject }) => subject)).toEqual(['a']);
    const later = await postern.audit.list({ cursor, until: new Date(START + 9000) });
    expect(later.items.map(({ subject }) => subject)).toEqual(['b', 'a']);
  });

  test('shows a principal only its own organization', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'ours', access: 'public' });
    await postern.endpoints.create({ id: 'theirs', access: 'public' }, { organization: 'other' });
    const theirs = postern.as({ organization: 'other', owner: 'eve', types: {} });
    expect((await theirs.audit.list()).items.map(({ subject }) => subject)).toEqual(['theirs']);
    for (const organization of ['default', '*']) {
      expect(await refusal(theirs.audit.list({ organization }))).toMatchObject({ code: 'organization_forbidden' });
    }
  });

  test('has no entry for a refused change, nor for one that changed nothing', async () => {
    const { postern } = createTestPostern();
    const { record } = await postern.tokens.create({ name: 'x', types });
    await refusal(postern.tokens.update(record.id, { name: '' }));
    await postern.tokens.update(record.id, {});
    await postern.tokens.revoke('no-such-token');
    expect((await postern.audit.list()).items).toHaveLength(1);
  });
});
