import { managementApi } from 'postern/management';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { DEVELOPER, NOBODY, PEOPLE, TOKENS, type World, world } from './world.js';

/** Every call that needs a caller, with its body. */
function calls({ tokens }: World, of: string) {
  const uid = tokens[of]?.id;
  return [
    ['GET', TOKENS],
    ['GET', `${TOKENS}/${uid}`],
    ['GET', `${TOKENS}/${uid}/usage`],
    ['POST', TOKENS, DEVELOPER],
    ['PATCH', `${TOKENS}/${uid}`, { name: 'taken' }],
    ['POST', `${TOKENS}/${uid}/rotate`, {}],
    ['POST', `${TOKENS}/${uid}/revoke`, {}],
    ['DELETE', `${TOKENS}/${uid}`],
    ['GET', '/api/v1/endpoints'],
    ['POST', '/api/v1/endpoints', { id: 'new' }],
    ['PATCH', '/api/v1/endpoints/a', { access: 'public' }],
    ['GET', '/api/v1/endpoints/a/preview?access=public'],
    ['DELETE', '/api/v1/endpoints/b'],
    ['GET', '/api/v1/audit'],
  ] as const;
}

async function statuses(made: World, who: { readonly token?: string; readonly person?: string }, of: string) {
  const answers: Record<string, number> = {};
  for (const [method, path, json] of calls(made, of)) {
    const { status } = await made.ask(path, { method, ...who, ...(json !== undefined && { json }) });
    answers[`${method} ${path.replace(made.tokens[of]?.id as string, '{uid}')}`] = status;
  }
  return Object.values(answers).join(' ');
}

//            list get usage create patch rotate revoke delete | endpoints: list create patch preview delete | audit
const ALL = '200 200 200 200 200 200 200 200 200 200 200 200 200 200';
const NOTHING = '403 403 403 403 403 403 403 403 403 403 403 403 403 403';

describe('access to the API', () => {
  test.each([
    ['a developer token with all scopes', { token: 'admin' }, 'shared', ALL],
    ['a token with iam:read', { token: 'reader' }, 'shared', '200 200 200 403 403 403 403 403 403 403 403 403 403 200'],
    ['a token with models:write', { token: 'modeller' }, 'modeller', NOTHING],
    [
      'a token with iam:write',
      { token: 'writer' },
      'shared',
      '200 200 200 200 200 200 200 200 403 403 403 403 403 200',
    ],
    ['a token with endpoint access only', { token: 'user' }, 'user', NOTHING],
    ['a person with all scopes', { person: 'boss' }, 'shared', ALL],
    [
      'a person over her own token',
      { person: 'ada' },
      'modeller',
      '200 200 200 200 200 403 200 200 403 403 403 403 403 403',
    ],
    [
      'a person over a token of the organization',
      { person: 'ada' },
      'shared',
      '200 200 200 200 403 403 403 403 403 403 403 403 403 403',
    ],
    [
      "a person over someone else's token",
      { person: 'ada' },
      'everywhere',
      '200 404 404 200 404 404 404 404 403 403 403 403 403 403',
    ],
    [
      'a person without rights',
      { person: 'bob' },
      'everywhere',
      '200 200 200 403 200 403 200 200 403 403 403 403 403 403',
    ],
  ])('of %s is as documented', async (_, who, of, expected) => {
    expect(await statuses(await world(), who, of)).toBe(expected);
  });

  test('without credentials is refused with a challenge at every route', async () => {
    const made = await world();
    for (const [method, path, json] of calls(made, 'shared')) {
      const { status, headers } = await made.ask(path, { method, ...(json !== undefined && { json }) });
      expect([status, headers.get('www-authenticate'), path]).toEqual([401, 'Bearer realm="postern"', path]);
    }
    expect(made.store.count('replaceToken', 'deleteTokens', 'replaceEndpoint', 'deleteEndpoint')).toBe(0);
  });

  test('without the needed scope is refused with its name', async () => {
    const { ask } = await world();
    const { body, headers } = await ask('/api/v1/audit', { token: 'modeller' });
    expect(body).toMatchObject({ code: 'scope_missing', detail: 'You need the scope iam:read to see the audit log.' });
    expect(headers.get('www-authenticate')).toBe(
      'Bearer realm="postern", error="insufficient_scope", scope="iam:read"',
    );
  });

  test('can be bound to other scopes, and with null is given to nobody', async () => {
    const { ask } = await world({ options: { permissions: { readAudit: 'models:write', listTokens: null } } });
    expect((await ask('/api/v1/audit', { token: 'modeller' })).status).toBe(200);
    expect((await ask('/api/v1/audit', { token: 'reader' })).status).toBe(403);
    expect((await ask(TOKENS, { token: 'admin' })).status).toBe(403);
  });
});

describe('a person sees', () => {
  const names = async (made: World, query: string, person = 'ada') => {
    const { status, body } = await made.ask(`${TOKENS}?${query}`, { person });
    return status === 200 ? [body.total, ...body.items.map(({ name }: { name: string }) => name)] : status;
  };

  test('her own personal tokens and those of the organization', async () => {
    const made = await world();
    expect(await names(made, '')).toEqual([3, 'user', 'writer', 'modeller']);
    expect(await names(made, 'owner=ada')).toEqual([3, 'user', 'writer', 'modeller']);
    expect(await names(made, 'ownership=personal&type=user')).toEqual([1, 'user']);
    expect(await names(made, 'ownership=organization')).toEqual([1, 'shared']);
    expect(await names(made, 'ownership=organization&owner=bob')).toEqual([1, 'shared']);
    expect(await names(made, 'owner=bob')).toBe(403);
    expect(await names(made, 'owner=bob', 'boss')).toEqual([2, 'shared', 'everywhere']);
  });

  test('no token without an owner', async () => {
    const made = await world();
    await made.postern.tokens.create({ name: 'ownerless', types: { developer: { scopes: ['models:read'] } } });
    expect(await names(made, '')).toEqual([3, 'user', 'writer', 'modeller']);
  });
});

describe('a person of the application', () => {
  test('is shown with the given name', async () => {
    const { ask } = await world();
    expect((await ask('/api/v1/auth/current', { person: 'boss' })).body).toEqual({
      name: 'The Boss',
      email: 'boss@acme.dev',
      first_name: 'The',
      last_name: 'Boss',
    });
  });

  test('does not manage tokens of the organization, also not those made by that person', async () => {
    const { ask, tokens, postern } = await world();
    const path = `${TOKENS}/${tokens.shared?.id}`;
    expect((await ask(path, { method: 'DELETE', person: 'bob' })).status).toBe(403);
    expect((await ask(`${path}/rotate`, { method: 'POST', person: 'bob', json: {} })).status).toBe(403);
    const form = { token: tokens.shared?.token as string };
    expect((await ask('/oauth/revoke', { method: 'POST', person: 'bob', form })).status).toBe(403);
    expect((await postern.authenticate(tokens.shared?.token)).ok).toBe(true);
  });

  test("without an organization belongs to the instance's own", async () => {
    const { ask } = await world({ options: { identify: () => ({ owner: 'zoe', types: {} }) } });
    expect((await ask('/api/v1/current_org')).body.name).toBe('acme');
  });

  test('with a deleted endpoint can still grant the others', async () => {
    const person = { owner: 'zoe', types: { user: { endpoints: ['a', 'gone'] } } };
    const { ask } = await world({ options: { identify: () => person } });
    const make = (endpoints: string[]) =>
      ask(TOKENS, {
        method: 'POST',
        headers: { 'sec-fetch-site': 'same-origin' },
        json: { name: 'x', types: { user: { endpoints } } },
      });
    expect((await make(['a'])).status).toBe(200);
    expect((await make(['b'])).body.code).toBe('endpoint_not_granted');
  });

  test.each([
    ['no owner', { owner: '', types: {} }],
    ['no types', { owner: 'x' }],
    ['an unknown type', { owner: 'x', types: { root: { scopes: ['*'] } } }],
    ['an unknown scope', { owner: 'x', types: { developer: { scopes: ['models:paint'] } } }],
    ['scopes for an endpoint type', { owner: 'x', types: { user: { scopes: ['*'] } } }],
    ['endpoints that are not a list', { owner: 'x', types: { user: { endpoints: 'a' } } }],
    ['an invalid organization', { owner: 'x', organization: '*', types: {} }],
    ['an unknown field', { owner: 'x', types: {}, admin: true }],
    ['a text', 'ada'],
    ['true', true],
  ])('given as %s is a reported fault, and nobody is let in', async (_, person) => {
    const { ask, errors } = await world({ options: { identify: () => person as never } });
    const refused = await ask('/api/v1/auth/current');
    expect([refused.status, refused.body.code]).toEqual([503, 'unavailable']);
    expect(errors).toHaveLength(1);
    expect(refused.text).not.toContain('identify');
  });

  test('is nobody if identify returns null or undefined, and the call is unavailable if it fails', async () => {
    for (const nobody of [null, undefined]) {
      const { ask } = await world({ options: { identify: () => nobody as null } });
      expect((await ask('/api/v1/auth/current')).status).toBe(401);
    }
    const down = new Error('session store is down');
    const { ask, errors } = await world({ options: { identify: () => Promise.reject(down) } });
    const refused = await ask('/api/v1/auth/current');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect(errors).toEqual([down]);
  });

  test('whose identify fails is a fault event of the instance without onError', async () => {
    const { postern, events } = createTestPostern();
    const down = new Error('session store is down');
    const api = managementApi(postern, { identify: () => Promise.reject(down) });
    expect((await api(new Request('https://acme.dev/api/v1/auth/current'))).status).toBe(503);
    expect(events).toContainEqual(expect.objectContaining({ type: 'fault', during: 'management', error: down }));
  });

  test('is not identified if a token was sent, good or bad', async () => {
    let asked = 0;
    const identify = () => {
      asked++;
      return PEOPLE.boss ?? null;
    };
    const { ask } = await world({ options: { identify } });
    expect((await ask('/api/v1/auth/current', { token: 'reader' })).body.name).toBe('reader');
    expect((await ask('/api/v1/auth/current', { token: 'nonsense' })).status).toBe(401);
    expect((await ask('/api/v1/auth/current', { headers: { 'x-yatai-api-token': 'nonsense' } })).status).toBe(401);
    expect((await ask('/api/v1/auth/current', { headers: { authorization: 'Bearer' } })).status).toBe(400);
    expect(asked).toBe(0);
    expect((await ask('/api/v1/auth/current', { headers: { authorization: 'Basic eDp5' } })).status).toBe(200);
  });
});

describe('another organization', () => {
  test('is answered for with the same bytes as a missing one', async () => {
    const made = await world();
    const theirs = made.tokens['other-shared']?.id as string;
    const paths = (uid: string, endpoint: string) =>
      [
        ['GET', `${TOKENS}/${uid}`],
        ['GET', `${TOKENS}/${uid}/usage`],
        ['PATCH', `${TOKENS}/${uid}`, { name: 'taken' }],
        ['POST', `${TOKENS}/${uid}/rotate`, {}],
        ['POST', `${TOKENS}/${uid}/revoke`, {}],
        ['DELETE', `${TOKENS}/${uid}`],
        ['GET', `/api/v1/endpoints/${endpoint}`],
        ['PATCH', `/api/v1/endpoints/${endpoint}`, { access: 'public' }],
        ['GET', `/api/v1/endpoints/${endpoint}/preview?access=public`],
        ['DELETE', `/api/v1/endpoints/${endpoint}`],
      ] as const;
    await made.postern.endpoints.create({ id: 'theirs', access: 'protected', organization: 'other' });
    const before = made.store.count('replaceToken', 'deleteTokens', 'replaceEndpoint', 'deleteEndpoint');
    for (const who of [{ token: 'admin' }, { person: 'boss' }, { person: 'ada' }]) {
      const ours = paths(theirs, 'theirs');
      const nobodys = paths(NOBODY, 'nobodys');
      for (const [index, [method, path, json]] of ours.entries()) {
        const body = json !== undefined && { json };
        const real = await made.ask(path, { method, ...who, ...body });
        const none = await made.ask(nobodys[index]?.[1] as string, { method, ...who, ...body });
        expect(real.status === 404 || who.person === 'ada').toBe(true);
        expect([real.status, real.text, [...real.headers]]).toEqual([none.status, none.text, [...none.headers]]);
      }
    }
    expect(made.store.count('replaceToken', 'deleteTokens', 'replaceEndpoint', 'deleteEndpoint')).toBe(before);
    expect((await made.postern.authenticate(made.tokens['other-shared']?.token)).ok).toBe(true);
  });

  test('has nothing for a person of the same name here', async () => {
    const { ask, tokens } = await world();
    expect((await ask(`${TOKENS}/${tokens.modeller?.id}`, { person: 'eve' })).status).toBe(404);
    const { body } = await ask(TOKENS, { person: 'eve' });
    expect(body.items.every((token: { organization: { name: string } }) => token.organization.name === 'other')).toBe(
      true,
    );
    expect(body.total).toBe(7);
  });
});
