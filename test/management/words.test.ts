import fc from 'fast-check';
import { bentocloudTokenTypes, scopeAccess } from 'postern';
import { describe, expect, test } from 'vitest';
import { compileGrants } from '../../src/domain/grants.js';
import { compileCatalog } from '../../src/domain/token-types.js';
import { scopeWords } from '../../src/management/wire/scope-words.js';
import { parseTime } from '../../src/management/wire/time.js';
import { thrown } from '../support/outcomes.js';

describe('times', () => {
  test.each([
    ['2030-01-02 03:04:05.678901', '2030-01-02T03:04:05.678Z'],
    ['2030-01-02 03:04:05', '2030-01-02T03:04:05.000Z'],
    ['2030-01-02T03:04:05Z', '2030-01-02T03:04:05.000Z'],
    ['2030-01-02T03:04:05.1Z', '2030-01-02T03:04:05.100Z'],
    ['2030-01-02T03:04:05.999999999Z', '2030-01-02T03:04:05.999Z'],
    ['2030-01-02T03:04:05+02:00', '2030-01-02T01:04:05.000Z'],
    ['2030-01-02T03:04:05-0530', '2030-01-02T08:34:05.000Z'],
    ['2028-02-29 00:00:00', '2028-02-29T00:00:00.000Z'],
    ['0001-01-01 00:00:00', '0001-01-01T00:00:00.000Z'],
    ['2030-02-29 00:00:00', null],
    ['2030-13-01 00:00:00', null],
    ['2030-00-01 00:00:00', null],
    ['2030-01-02 24:00:00', null],
    ['2030-01-02 03:60:00', null],
    ['2030-01-02 03:04:60', null],
    ['2030-01-02 03:04', null],
    ['2030-01-02', null],
    ['2030-01-02T03:04:05+99:00', null],
    ['2030-01-02T03:04:05z', null],
    ['1900000000', null],
    ['', null],
    [' 2030-01-02 03:04:05', null],
    ['2030-01-02 03:04:05; DROP', null],
  ])('%j is %j in any time zone', (text, time) => {
    expect(parseTime(text)?.toISOString() ?? null).toBe(time);
  });

  test('every time written by JavaScript is read', () => {
    const dates = fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true });
    fc.assert(fc.property(dates, (date) => parseTime(date.toISOString())?.getTime() === date.getTime()));
  });
});

describe('scopes', () => {
  const catalog = compileCatalog(bentocloudTokenTypes);
  const words = scopeWords(catalog);
  const back = (scopes: readonly string[]) => words.fromGrants(compileGrants({ developer: { scopes } }, catalog));

  test("each of BentoCloud's words maps to scopes and back", () => {
    expect(words.known).toEqual(['api', 'read_organization', 'write_organization', 'read_cluster', 'write_cluster']);
    fc.assert(
      fc.property(fc.subarray([...words.known], { minLength: 1 }), (chosen) => {
        const types = words.toTypes(chosen);
        expect(Object.keys(types)).toEqual(['developer']);
        expect(back(types.developer?.scopes ?? [])).toEqual(chosen);
      }),
    );
  });

  test('api means all scopes of models, bentos and deployments', () => {
    expect(words.toTypes(['api'])).toEqual({
      developer: {
        scopes: ['models:read', 'models:write', 'bentos:read', 'bentos:write', 'deployments:read', 'deployments:write'],
      },
    });
  });

  test.each([
    [['*'], ['api', 'read_organization', 'write_organization', 'read_cluster', 'write_cluster']],
    [['models:*', 'bentos:*', 'deployments:*'], ['api']],
    [['models:write', 'bentos:write', 'deployments:write'], ['api']],
    [
      ['models:write', 'bentos:write'],
      ['models:write', 'bentos:write'],
    ],
    [['iam:write'], ['write_organization']],
    [
      ['iam:*', 'models:read'],
      ['read_organization', 'write_organization', 'models:read'],
    ],
    // A scope of a later version grants nothing.
    [['models:paint'], []],
  ])('%j is %j on the wire', (scopes, expected) => {
    expect(back(scopes)).toEqual(expected);
  });

  test('our own names are accepted too, with wildcards', () => {
    expect(words.toTypes(['models:read', 'iam:*'])).toEqual({ developer: { scopes: ['models:read', 'iam:*'] } });
  });

  test.each(['admin', 'models:paint', '__proto__', 'constructor', 'toString', '', 'API'])('%j is refused', (word) => {
    expect(thrown(() => words.toTypes([word]))).toMatchObject({ code: 'scope_unknown', path: 'scopes.0' });
  });

  test('a word whose resources are in several types is known if one type has them all', () => {
    const split = scopeWords(
      compileCatalog({
        first: scopeAccess({ models: { read: [] }, iam: { read: [], write: [] } }),
        second: scopeAccess({ bentos: { read: [] }, deployments: { read: [] } }),
      }),
    );
    expect(split.known).toEqual(['read_organization', 'write_organization']);
    expect(split.toTypes(['read_organization', 'bentos:read'])).toEqual({
      first: { scopes: ['iam:read'] },
      second: { scopes: ['bentos:read'] },
    });
  });
});
