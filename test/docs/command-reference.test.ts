import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { commandReference } from './command-reference.js';
import { ROOT, readPage } from './pages.js';

const PAGE = 'docs/command.md';
const START = '<!-- the reference: npm run docs:command writes it -->\n\n';

it('the page of the command has the reference that the program gives; npm run docs:command renews it', () => {
  const [before = '', reference] = readPage(PAGE).split(START);
  expect(reference, 'the page has the comment that begins the reference').toBeDefined();
  const current = `${commandReference()}\n`;
  if (process.env.POSTERN_DOCS) writeFileSync(`${ROOT}${PAGE}`, before + START + current);
  else expect(reference).toBe(current);
});
