import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Every page for users, by its path from the root. */
export const PAGES: readonly string[] = [
  'README.md',
  ...readdirSync(`${ROOT}docs`, { recursive: true, encoding: 'utf8' })
    .map((path) => `docs/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.md'))
    .sort(),
];

/** Pages for those who work on postern, with the longer ones of the promises and attacks. They have no limit of length. */
export const FOR_CONTRIBUTORS = [
  'docs/architecture.md',
  'docs/contract.md',
  'docs/derived-tokens.md',
  'docs/threats.md',
];

/**
 * A block of code. Comments of HTML, which readers don't see, tell the tests more about the block below them:
 *
 *     <!-- given                its code comes before the block
 *     const app = express();
 *     -->
 *     <!-- then                 its code comes behind the block: what to expect of it
 *     expect(…).toBe(…);
 *     -->
 *     <!-- continues -->        the block goes on with the program, or the file, of the block above
 *     <!-- file app.mjs -->     the block is this file in the folder that the page's commands work in
 *     <!-- serves -->           its command goes on until the end of the page, or until the next one that serves
 *     <!-- soon -->             its output is right once another process has heard of a change
 *     <!-- not run: why -->     it is only compiled; a block of commands is only read
 */
export interface Block {
  readonly page: string;
  /** The line of its first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  readonly given: string;
  readonly checks: string;
  readonly continues: boolean;
  readonly file: string | null;
  readonly serves: boolean;
  readonly soon: boolean;
  /** The reason, or `null`: it is run. */
  readonly notRun: string | null;
}

export function readPage(page: string): string {
  return readFileSync(`${ROOT}${page}`, 'utf8');
}

const FENCE = /((?:^<!--(?:(?!-->)[\s\S])*-->\n+)*)^( *)```(\w+)[^\n]*\n([\s\S]*?)^ *```$/gm;

export function blocksOf(page: string): Block[] {
  const text = readPage(page);
  return [...text.matchAll(FENCE)].map((match) => {
    const [, comments = '', indent = '', language = '', code = ''] = match;
    const notes = [...comments.matchAll(/<!--\s*(given|then|continues|file|serves|soon|not run:)([\s\S]*?)-->/g)];
    const note = (word: string) => notes.find(([, each]) => each === word)?.[2];
    const start = match.index + comments.length;
    return {
      page,
      line: text.slice(0, start).split('\n').length + 1,
      language,
      code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      given: note('given') ?? '',
      checks: note('then') ?? '',
      continues: note('continues') !== undefined,
      file: note('file')?.trim() ?? null,
      serves: note('serves') !== undefined,
      soon: note('soon') !== undefined,
      notRun: note('not run:')?.trim() ?? null,
    };
  });
}

/** A page without its code and its hidden comments, as people read it. */
export function proseOf(page: string): string {
  return readPage(page)
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
}
