import { bentocloudTokenTypes, endpointAccess, scopeAccess } from 'postern';
import { describe, expect, test } from 'vitest';
import { compileCatalog } from '../../src/domain/token-types.js';
import { thrown } from '../support/outcomes.js';

function expansion(resources: object, grant: string): readonly string[] | undefined {
  const type = compileCatalog({ t: scopeAccess(resources as never) }).types.get('t');
  return type?.form === 'scope_access' ? type.expansions.get(grant)?.toSorted() : undefined;
}

describe('included actions', () => {
  test('an action gives itself and its included actions', () => {
    expect(expansion({ m: { read: [], write: ['read'] } }, 'm:write')).toEqual(['m:read', 'm:write']);
    expect(expansion({ m: { read: [], write: ['read'] } }, 'm:read')).toEqual(['m:read']);
  });

  test('an action includes the actions of its included actions', () => {
    const chain = { m: { read: [], write: ['read'], admin: ['write'], root: ['admin'] } };
    expect(expansion(chain, 'm:root')).toEqual(['m:admin', 'm:read', 'm:root', 'm:write']);
  });

  test('in a cycle each action includes all the others', () => {
    const cycle = { m: { a: ['b'], b: ['c'], c: ['a'], d: [] } };
    for (const action of ['a', 'b', 'c']) expect(expansion(cycle, `m:${action}`)).toEqual(['m:a', 'm:b', 'm:c']);
  });

  test('an action may include itself', () => {
    expect(expansion({ m: { a: ['a'] } }, 'm:a')).toEqual(['m:a']);
  });

  test('wildcards stand for a resource, and for the type', () => {
    const two = { m: { read: [], write: ['read'] }, n: { read: [] } };
    expect(expansion(two, 'm:*')).toEqual(['m:read', 'm:write']);
    expect(expansion(two, '*')).toEqual(['m:read', 'm:write', 'n:read']);
    expect(expansion(two, '*:read')).toBeUndefined();
  });
});

describe('the default types are those of BentoCloud', () => {
  const catalog = compileCatalog(bentocloudTokenTypes);

  test('user reaches endpoints, developer holds ten scopes', () => {
    expect(catalog.types.get('user')?.form).toBe('endpoint_access');
    expect([...catalog.scopes].toSorted()).toEqual(
      ['bentos', 'cluster', 'deployments', 'iam', 'models'].flatMap((each) => [`${each}:read`, `${each}:write`]),
    );
  });

  test('the default types are frozen', () => {
    expect(Object.isFrozen(bentocloudTokenTypes)).toBe(true);
    expect(Object.isFrozen(bentocloudTokenTypes.developer.resources.models.write)).toBe(true);
  });
});

describe('an invalid token type is refused at construction', () => {
  test.each([
    [
      'an included action that the resource does not have',
      { m: { write: ['read'] } },
      'resources.m.write',
      'not an action of m',
    ],
    [
      'an included action with the name of an inherited property',
      { m: { write: ['toString'] } },
      'resources.m.write',
      'not an action of m',
    ],
    ['included actions that are not a list', { m: { write: 'read' } }, 'resources.m.write', 'is not a list'],
    ['actions that are not an object', { m: ['read'] }, 'resources.m', 'is not an object'],
    ['a separator in a resource', { 'a:b': {} }, 'tokenTypes', 'resource'],
    ['a wildcard for an action', { m: { '*': [] } }, 'tokenTypes', 'action'],
    ['an empty name', { '': {} }, 'tokenTypes', 'resource'],
  ])('%s', (_, resources, path, says) => {
    const error = thrown(() => scopeAccess(resources as never));
    expect(error).toMatchObject({ code: 'option_invalid', path });
    expect(error.message).toContain(says);
  });

  test.each([
    ['an empty object of types', {}, 'names no type'],
    ['a type not made by endpointAccess or scopeAccess', { user: {} }, 'was not made by'],
    ['null as a type', { user: null }, 'was not made by'],
    ['a type name with a space', { 'a b': endpointAccess() }, 'token type named'],
  ])('%s', (_, types, says) => {
    const error = thrown(() => compileCatalog(types as never));
    expect(error.code).toBe('option_invalid');
    expect(error.message).toContain(says);
  });

  test('a type written by hand in the same shape is checked like any other', () => {
    const byHand = { form: 'scope_access', resources: { m: { write: ['read'] } } };
    expect(thrown(() => compileCatalog({ t: byHand } as never))).toMatchObject({ code: 'option_invalid' });
    expect(thrown(() => compileCatalog({ t: { form: 'scope_access' } } as never)).code).toBe('option_invalid');
  });

  test('a __proto__ key is refused like any other bad name', () => {
    const resources = JSON.parse('{"__proto__": {"read": []}}');
    expect(thrown(() => scopeAccess(resources)).code).toBe('option_invalid');
  });
});

test('the resources are copied, so a later change has no effect', () => {
  const resources = { m: { read: [] as string[], write: ['read'] } };
  const type = scopeAccess(resources as never);
  resources.m.read.push('write');
  expect(type.resources).toEqual({ m: { read: [], write: ['read'] } });
});
