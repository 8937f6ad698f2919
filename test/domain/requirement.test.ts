import { describe, expect, test } from 'vitest';
import { compileRequirement } from '../../src/domain/requirement.js';
import { bentocloudTokenTypes, compileCatalog, endpointAccess } from '../../src/domain/token-types.js';
import { thrown } from '../support/outcomes.js';

const catalog = compileCatalog(bentocloudTokenTypes);
const compile = (value: unknown) => compileRequirement(value, catalog, 'home');

describe('a valid requirement', () => {
  test.each([
    [{ endpoint: 'a' }, { kind: 'endpoint', endpoint: 'a', organization: 'home' }],
    [
      { endpoint: 'a', organization: 'acme' },
      { kind: 'endpoint', endpoint: 'a', organization: 'acme' },
    ],
    [
      { endpoint: 'a', organization: '' },
      { kind: 'endpoint', endpoint: 'a', organization: '' },
    ],
    [{ endpoint: '../etc' }, { kind: 'endpoint', endpoint: '../etc', organization: 'home' }],
    [{ scope: 'models:read' }, { kind: 'scope', scopes: ['models:read'], text: 'models:read', organization: null }],
    [
      { scope: ['models:read', 'iam:read'], organization: 'acme' },
      { kind: 'scope', scopes: ['models:read', 'iam:read'], text: 'iam:read models:read', organization: 'acme' },
    ],
    [{ authenticated: true }, { kind: 'authenticated' }],
    [{ public: true }, { kind: 'public' }],
  ])('%j is accepted', (value, expected) => {
    expect(compile(value)).toEqual(expected);
  });
});

describe('an invalid requirement is refused', () => {
  test.each([
    ['no form', {}, 'names none'],
    ['a list', ['models:read'], 'unknown key'],
    ['a text', 'models:read', 'give an object'],
    ['null', null, 'give an object'],
    ['two forms', { endpoint: 'a', scope: 'models:read' }, 'both'],
    ['a form and a switched-off other one', { public: true, scope: undefined }, 'both'],
    ['a misspelt key', { scope: 'models:read', organisation: 'acme' }, 'unknown key'],
    ['authenticated: false', { authenticated: false }, 'only value is true'],
    ['public: false', { public: false }, 'only value is true'],
    ['public: "true"', { public: 'true' }, 'only value is true'],
    ['public with an organization', { public: true, organization: 'acme' }, 'no organization'],
    ['an empty list of scopes, which everyone would meet', { scope: [] }, 'empty list'],
    ['a number as endpoint', { endpoint: 7 }, 'give the id'],
    ['undefined as endpoint', { endpoint: undefined }, 'give the id'],
    ['a number as organization', { scope: 'models:read', organization: 7 }, 'organization'],
    ['an organization that is null', { scope: 'models:read', organization: null }, 'organization'],
    ['an organization that is undefined', { scope: 'models:read', organization: undefined }, 'organization'],
  ])('%s', (_, value, says) => {
    const error = thrown(() => compile(value));
    expect(error.code).toBe('requirement_invalid');
    expect(error.message).toContain(says);
  });

  test.each([
    ['model:read', 'use one of'],
    ['models:*', 'wildcard is for grants'],
    ['*', 'wildcard is for grants'],
    ['__proto__', 'use one of'],
    ['toString', 'use one of'],
    [7, 'use one of'],
    [undefined, 'use one of'],
    [['models:read', 'model:read'], 'use one of'],
  ])('the scope %j', (scope, says) => {
    const error = thrown(() => compile({ scope }));
    expect(error).toMatchObject({ code: 'scope_unknown', path: 'scope' });
    expect(error.message).toContain(says);
  });

  test('a scope is refused if no token type has scopes', () => {
    const error = thrown(() =>
      compileRequirement({ scope: 'a:b' }, compileCatalog({ user: endpointAccess() }), 'home'),
    );
    expect(error.message).toContain('no token type has scopes');
  });
});

test('a list of scopes is copied, so a later change has no effect', () => {
  const scope = ['models:write'];
  const compiled = compile({ scope });
  scope.length = 0;
  expect(compiled).toMatchObject({ scopes: ['models:write'] });
});
