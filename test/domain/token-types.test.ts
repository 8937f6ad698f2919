import { bentocloudTokenTypes, endpointAccess, scopeAccess } from 'postern';
import { describe, expect, test } from 'vitest';
import { compileCatalog } from '../../src/domain/token-types.js';
import { thrown } from '../support/outcomes.js';

function expansion(resources: object, grant: string): readonly string[] | undefined {
  const type = compileCatalog({ t: scopeAccess(resources as never) }).types.get('t');
  return type?.form === 'scope_access' ? type.expansions.get(grant)?.toSorted() : undefined;
}

describe('included actions', () => {
  test('an action holds itself and what it includes', () => {
    expect(expansion({ m: { read: [], write: ['read'] } }, 'm:write')).toEqual(['m:read', 'm:write']);
    expect(expansion({ m: { read: [], write: ['read'] } }, 'm:read')).toEqual(['m:read']);
  });

  test('inclusion goes through others', () => {
    const chain = { m: { read: [], write: ['read'], admin: ['write'], root: ['admin'] } };
    expect(expansion(chain, 'm:root')).toEqual(['m:admin', 'm:read', 'm:root', 'm:write']);
  });

  test('a cycle is harmless, and each of it holds all of it', () => {
    const cycle = { m: { a: ['b'], b: ['c'], c: ['a'], d: [] } };
    for (const action of ['a', 'b', 'c']) expect(expansion(cycle, `m:${action}`)).toEqual(['m:a', 'm:b', 'm:c']);
  });

  test('an action that includes itself', () => {
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

  test('they can not be changed', () => {
    expect(Object.isFrozen(bentocloudTokenTypes)).toBe(true);
    expect(Object.isFrozen(bentocloudTokenTypes.developer.resources.models.write)).toBe(true);
  });
});

describe('what is no token type is refused at construction', () => {
  test.each([
    ['an action that is none of the resource', { m: { write: ['read'] } }, 'resources.m.write', 'no action of m'],
    ['an action named like something inherited', { m: { write: ['toString'] } }, 'resources.m.write', 'no action of m'],
    ['no list', { m: { write: 'read' } }, 'resources.m.write', 'is not a list'],
    ['no object of actions', { m: ['read'] }, 'resources.m', 'is not an object'],
    ['a separator in a resource', { 'a:b': {} }, 'tokenTypes', 'resource'],
    ['a wildcard for an action', { m: { '*': [] } }, 'tokenTypes', 'action'],
    ['an empty name', { '': {} }, 'tokenTypes', 'resource'],
  ])('%s', (_, resources, path, says) => {
    const error = thrown(() => scopeAccess(resources as never));
    expect(error).toMatchObject({ code: 'option_invalid', path });
    expect(error.message).toContain(says);
  });

  test.each([
    ['none at all', {}, 'names no type'],
    ['a type that nothing made', { user: {} }, 'was not made by'],
    ['null', { user: null }, 'was not made by'],
    ['a bad name', { 'a b': endpointAccess() }, 'token type named'],
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

  test('a __proto__ key is a name like any other: refused, not followed', () => {
    const resources = JSON.parse('{"__proto__": {"read": []}}');
    expect(thrown(() => scopeAccess(resources)).code).toBe('option_invalid');
  });
});

test('the resources are copied: changing what was given changes nothing', () => {
  const resources = { m: { read: [] as string[], write: ['read'] } };
  const type = scopeAccess(resources as never);
  resources.m.read.push('write');
  expect(type.resources).toEqual({ m: { read: [], write: ['read'] } });
});
