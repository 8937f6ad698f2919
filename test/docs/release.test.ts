import { expect, it } from 'vitest';
import { nextVersion, released } from '../../.github/release-text.mjs';

const DAY = new Date('2026-11-30T23:30:00Z');

it('a release raises the version by the rules of SemVer, or takes the one that is given', () => {
  expect(nextVersion('0.1.0')).toBe('0.1.0');
  expect(nextVersion('0.1.9', 'patch')).toBe('0.1.10');
  expect(nextVersion('0.1.9', 'minor')).toBe('0.2.0');
  expect(nextVersion('0.1.9', 'major')).toBe('1.0.0');
  expect(nextVersion('0.1.9', '2.0.0')).toBe('2.0.0');
  expect(() => nextVersion('0.1.9', 'next')).toThrow('next is no version: give major, minor, patch, or one like 1.2.3');
});

it('a release dates the changes that are not released, and leaves the others', () => {
  const before = '# Changelog\n\n## Unreleased\n\n- New.\n\n## 0.1.0 - 2026-10-01\n\n- Old.\n';
  const after = '# Changelog\n\n## 0.2.0 - 2026-11-30\n\n- New.\n\n## 0.1.0 - 2026-10-01\n\n- Old.\n';
  expect(released(before, '0.2.0', DAY)).toBe(after);
  expect(released('## 0.1.0 - unreleased\n\n- New.\n', '0.1.0', DAY)).toBe('## 0.1.0 - 2026-11-30\n\n- New.\n');
});

it('no release is made of nothing', () => {
  expect(() => released('## 0.1.0 - 2026-10-01\n\n- Old.\n', '0.2.0', DAY)).toThrow('write down what has changed');
  expect(() => released('## Unreleased\n\n## 0.1.0 - 2026-10-01\n\n- Old.\n', '0.2.0', DAY)).toThrow('names no change');
});
