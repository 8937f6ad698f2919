import { type Block, blocksOf, PAGES } from './pages.js';

/** TypeScript of a page that belongs together: a block, and those that continue it. */
export interface Program {
  /** `docs/tokens.md:12`: the page, and the line of its first block. */
  readonly name: string;
  readonly code: string;
  /** `null`: it is run. */
  readonly notRun: string | null;
  /** It says what `postern` is in the whole program, so it is compiled by itself. */
  readonly registers: boolean;
  /** The place of a line (from 0) in its page. */
  place(line: number): string;
}

export const PROGRAMS: readonly Program[] = PAGES.flatMap((page) => {
  const blocks = blocksOf(page).filter(({ language }) => language === 'ts');
  const groups: Block[][] = [];
  for (const block of blocks) {
    const open = groups.at(-1);
    if (block.continues && open !== undefined) open.push(block);
    else groups.push([block]);
  }
  return groups.map(programOf);
});

interface Line {
  readonly text: string;
  readonly place: string;
}

function programOf(blocks: readonly Block[]): Program {
  const [first] = blocks as [Block];
  const imported = new Set<string>();
  const lines = blocks.flatMap(linesOf).filter(({ text }) => {
    // A page may show the import again where the next part of a program begins.
    if (!/^import .* from '.*';( |$)/.test(text)) return true;
    const isNew = !imported.has(text);
    imported.add(text);
    return isNew;
  });
  const code = lines.map(({ text }) => text).join('\n');
  return {
    name: `${first.page}:${first.line}`,
    code: `${code}\nexport {};\n`,
    notRun:
      blocks.map(({ notRun, file }) => notRun ?? (file && 'it is run by the commands of its page')).find(Boolean) ??
      null,
    registers: code.includes('interface Register'),
    place: (line) => lines[line]?.place ?? first.page,
  };
}

function linesOf({ page, line, given, code, checks }: Block): Line[] {
  const around = `${page}:${line} (around it)`;
  const hidden = (text: string) => text.split('\n').map((each) => ({ text: each, place: around }));
  const shown = code.split('\n').map((text, index) => ({ text, place: `${page}:${line + index}` }));
  return [...hidden(given), ...shown, ...hidden(checks)];
}
