import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PAGES, ROOT, readPage } from './pages.js';

/** The address of this repository in links of pages that are read elsewhere, such as the README on npm. */
const REPOSITORY =
  /^https:\/\/(?:github\.com\/OWNER\/postern\/(?:blob|tree)|raw\.githubusercontent\.com\/OWNER\/postern)\/main\//;

const ALL = [
  ...PAGES,
  'CHANGELOG.md',
  'examples/README.md',
  'examples/gateways/README.md',
  'examples/upstream/README.md',
  '.github/CONTRIBUTING.md',
];

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page: string): string[] {
  const text = readPage(page).replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The targets of links and pictures. */
function targetsOf(page: string): string[] {
  const links = [...readPage(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  const pictures = [...readPage(page).matchAll(/(?:src|srcset|href)="([^"]+)"/g)].map(([, target = '']) => target);
  return [...links, ...pictures];
}

/** A target inside this repository, as a path from the root with its anchor; `null` for any other address. */
function local(target: string, page: string): string | null {
  const inRepository = target.replace(REPOSITORY, '/');
  if (/^[a-z]+:/.test(inRepository)) return null;
  if (inRepository.startsWith('/')) return inRepository.slice(1);
  return inRepository.startsWith('#') ? page + inRepository : join(dirname(page), inRepository);
}

describe.each(ALL)('%s', (page) => {
  it('has links that lead somewhere', () => {
    const broken = targetsOf(page).filter((target) => {
      const [file, anchor] = (local(target, page) ?? '').split('#');
      if (file === undefined || file === '') return false;
      return !existsSync(join(ROOT, file)) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  it('names files that are there', () => {
    const named = [...readPage(page).matchAll(/`((?:src|test|docs|examples)\/[\w./-]+)`/g)].map(([, path]) => path);
    expect(named.filter((path) => !existsSync(join(ROOT, path as string)))).toEqual([]);
  });
});

it('the README has absolute links only, because it is read on npm, too', () => {
  const relative = targetsOf('README.md').filter((target) => !/^https:|^#/.test(target));
  expect(relative).toEqual([]);
});

it('the index leads to every page', () => {
  const listed = targetsOf('docs/README.md').map((target) => local(target, 'docs/README.md')?.split('#')[0]);
  const pages = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
  expect(pages.filter((page) => !listed.includes(page))).toEqual([]);
});

it('every page leads back to the index', () => {
  const pages = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
  const lost = pages.filter((page) => !targetsOf(page).some((target) => local(target, page) === 'docs/README.md'));
  expect(lost).toEqual([]);
});
