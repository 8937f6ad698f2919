import { endpointAccess, scopeAccess } from 'postern';
import { createTestPostern } from 'postern/testing';
import { expect, it } from 'vitest';
import { thrown } from '../support/outcomes.js';

it.each([
  [() => endpointAccess({ labl: 'x' } as never), 'endpointAccess.labl'],
  [() => endpointAccess({ label: ' ' }), 'endpointAccess.label'],
  [() => endpointAccess({ noun: 'n'.repeat(101) }), 'endpointAccess.noun'],
  [() => scopeAccess({ a: { b: [] } }, { noun: 'x' } as never), 'scopeAccess.noun'],
  [() => scopeAccess({ a: { b: [] } }, { scopes: { 'a:c': { label: 'x' } } } as never), 'scopeAccess.scopes'],
  [() => scopeAccess({ a: { b: [] } }, { scopes: { constructor: {} } } as never), 'scopeAccess.scopes'],
  [() => scopeAccess({ a: { b: [] } }, { scopes: { 'a:b': { label: 5 } } } as never), 'scopeAccess.scopes.a:b.label'],
  [
    () => createTestPostern({ tokenTypes: { x: { form: 'endpoint_access', words: { label: 5 } } as never } }),
    'endpointAccess.label',
  ],
])('words that are none are refused: %s', (make, path) => {
  expect(thrown(make)).toMatchObject({ code: 'option_invalid', path });
});

it('words are copied and frozen', () => {
  const words = { label: 'API', scopes: { a: { label: 'All of A' } } };
  const type = scopeAccess({ a: { b: [] } }, words);
  words.scopes.a.label = 'changed';
  expect(type.words).toEqual({ label: 'API', scopes: { a: { label: 'All of A' } } });
  expect(Object.isFrozen(type.words)).toBe(true);
});
