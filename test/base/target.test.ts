import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { originForm, pathOfTarget } from '../../src/base/target.js';

test.each([
  ['/', '/'],
  ['/a/b?c=/../d', '/a/b'],
  ['/a?#', '/a'],
  ['//a', '//a'],
  ['/a/...', '/a/...'],
  ['/a/.b/..c', '/a/.b/..c'],
  ['/%61/%2F/%5c', '/%61/%2F/%5c'],
  ["/:@!$&'()*+,;=-._~", "/:@!$&'()*+,;=-._~"],
  ['http://acme.dev/a?b', '/a'],
  ['HTTPS://user@acme.dev:80//a', '//a'],
])('%s is the path %s', (target, path) => {
  expect(pathOfTarget(target)).toBe(path);
});

test.each([
  '',
  '*',
  'a',
  '?/a',
  'acme.dev:80',
  'http:/a',
  'http://acme.dev',
  'http://acme.dev?/..',
  'file:///a',
  '/.',
  '/..',
  '/a/./b',
  '/a/../b',
  '/a/%2e/b',
  '/a/%2E%2e',
  '/a/.%2e?b',
  '/a\\b',
  '/\\a',
  '/a\tb',
  '/a\nb',
  '/a\r',
  '/a ',
  ' /a',
  '/a\0',
  '/a b',
  '/a#b',
  '/a"b',
  '/ä',
  '/\ud800',
  'http://acme.dev/a/../b',
  'http://acme.dev\\a/b',
  'http://acme.dev?a/b',
  'http:///a',
])('%j is none', (target) => {
  expect(pathOfTarget(target)).toBeNull();
});

test('a path is itself to the URL parser, or none, whatever it is made of', () => {
  const part = fc.constantFrom(
    '/',
    '.',
    '..',
    'a',
    'A-1',
    '_',
    '%2e',
    '%2F',
    '\\',
    ';',
    ':',
    '@',
    ' ',
    '\t',
    '\u00e4',
    '#',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const path = `/${parts.join('')}`;
      const isKept = new URL(`http://host${path}`).pathname === path;
      expect(pathOfTarget(path)).toBe(isKept ? path : null);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['/a?b=/../c', '/a?b=/../c'],
  ['http://acme.dev/a?b', '/a?b'],
  ['/a/../b?c', null],
  ['http://acme.dev', null],
])('the origin form of %s is %s', (target, form) => {
  expect(originForm(target)).toBe(form);
});
