import { describe, expect, it } from 'vitest';
import { FOR_CONTRIBUTORS, PAGES, proseOf, readPage } from './pages.js';

/** Ten minutes, at 220 words a minute. */
const MOST = 2_200;

const wordsOf = (text: string) => text.split(/\s+/).filter((each) => /[\p{L}\p{N}]/u.test(each)).length;

it('the README has at most 1,200 words, with its code', () => {
  expect(wordsOf(readPage('README.md').replaceAll(/<!--[\s\S]*?-->/g, ''))).toBeLessThanOrEqual(1_200);
});

describe('a page takes less than ten minutes to read', () => {
  it.each(PAGES.filter((page) => !FOR_CONTRIBUTORS.includes(page)))('%s', (page) => {
    expect(wordsOf(proseOf(page))).toBeLessThanOrEqual(MOST);
  });
});
