import { isPosternError } from 'postern';
import { type GrpcGuardOptions, guard } from 'postern/grpc';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';

describe('a gRPC guard refuses at construction', () => {
  const { postern } = createTestPostern();
  const codeOf = (make: () => unknown): [string, string | undefined] | null => {
    try {
      make();
      return null;
    } catch (error) {
      return isPosternError(error) ? [error.code, error.path] : [String(error), undefined];
    }
  };

  it.each([
    '',
    '/',
    '*',
    'pkg.Svc/Call',
    '/pkg.Svc',
    '//Call',
    '/pkg..Svc/Call',
    '/.Svc/Call',
    '/pkg.Svc/Call/',
    '/pkg.Svc/Call/More',
    '/pkg.Svc//',
    '/pkg.Svc/Ca ll',
    '/pkg.Svc/*',
    '/pkg.Svc/Call\n',
    '/pkg%2ESvc/Call',
    'https://host/pkg.Svc/Call',
  ])('the path %j', (path) => {
    expect(codeOf(() => guard(postern, { [path]: { public: true } }))).toEqual(['option_invalid', 'requirements']);
    expect(codeOf(() => guard(postern, new Map([[path, { public: true as const }]])))).toEqual([
      'option_invalid',
      'requirements',
    ]);
  });

  it('requirements that are not a table', () => {
    for (const requirements of [undefined, null, [], 'x', 3]) {
      expect(codeOf(() => guard(postern, requirements as never))?.[0]).toBe('option_invalid');
    }
    expect(codeOf(() => guard(postern, new Map([[Symbol('x'), { public: true }]]) as never))?.[0]).toBe(
      'option_invalid',
    );
  });

  it('impossible requirements, with their method in the error', () => {
    const key = '/a.B/C';
    expect(codeOf(() => guard(postern, { [key]: { scope: 'models:fly' as never } }))).toEqual(['scope_unknown', key]);
    expect(codeOf(() => guard(postern, { [key]: {} as never }))).toEqual(['requirement_invalid', key]);
    expect(codeOf(() => guard(postern, { [key]: undefined as never }))).toEqual(['requirement_invalid', key]);
    expect(codeOf(() => guard(postern, { [key]: { public: false } as never }))).toEqual(['requirement_invalid', key]);
  });

  it.each<[keyof GrpcGuardOptions, unknown[]]>([
    ['zone', ['inside', 3, null]],
    ['header', ['', 'a b', 'x-token-bin', 'X-TOKEN-BIN', 'authorization', 'Authorization', 'grpc-timeout', ':path', 7]],
    ['onDenied', ['deny', {}]],
  ])('the option %s', (name, values) => {
    for (const value of values) {
      expect([value, codeOf(() => guard(postern, {}, { [name]: value }))]).toEqual([value, ['option_invalid', name]]);
    }
  });

  it('an unknown option', () => {
    expect(codeOf(() => guard(postern, {}, { realm: 'x' } as never))).toEqual(['option_unknown', 'realm']);
  });

  it('an unknown scope, also at compile time', () => {
    // @ts-expect-error: no such resource
    expect(codeOf(() => guard(postern, { '/a.B/C': { scope: 'model:read' } }))?.[0]).toBe('scope_unknown');
    // @ts-expect-error: no such resource
    guard(postern, { '/a.B/C': () => ({ scope: 'model:read' }) });
    guard(postern, { '/a.B/C': () => ({ scope: 'models:read' }), '/a.B/': { scope: ['models:read', 'iam:write'] } });
  });
});
