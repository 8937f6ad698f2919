import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { consolePage } from '../../../src/management/console/index.js';
import { LOOKS, problemsOf } from './axe.js';
import { dialogOf, useBrowser } from './browser.js';

const visit = useBrowser();
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The page with every part in every state, under the console's own policy. */
async function designPage(): Promise<string> {
  const shared = { bundle: true, write: false, target: 'chrome120' } as const;
  const script = await build({
    ...shared,
    entryPoints: [here('./design/page.tsx')],
    format: 'esm',
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  const style = await build({ ...shared, entryPoints: [here('../../../src/management/console/style/main.css')] });
  const { headers, body } = consolePage(200, {});
  const served: Record<string, readonly [string, string]> = {
    '/console/design.js': ['text/javascript', script.outputFiles[0]?.text ?? ''],
    '/console/design.css': ['text/css', style.outputFiles[0]?.text ?? ''],
    '/': ['text/html', body.replace(/console\/app-\w+\.(js|css)/g, 'console/design.$1')],
  };
  const server = createServer(({ url = '' }, response) => {
    const [type, text] = served[new URL(url, 'http://any').pathname] ?? ['text/plain', ''];
    response.writeHead(200, { ...headers, 'content-type': `${type}; charset=utf-8` }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function openForm(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'A form' }).click();
  await dialogOf(page).getByRole('button', { name: 'Create' }).click();
  await dialogOf(page).getByText('Give the token a name.').waitFor();
}

it.each(LOOKS)('every part in every state is accessible and fits, $look', async (look) => {
  const origin = await designPage();
  const { page, leave } = await visit(origin, null, look);
  await page.goto(origin);
  await page.getByRole('heading', { name: 'The parts of the console' }).waitFor();
  const found = await problemsOf(page, 'design', look, true);
  await openForm(page);
  found.push(...(await problemsOf(page, 'design-form', look)));
  expect(found).toEqual([]);
  await leave();
});
