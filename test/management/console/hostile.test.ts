import { expect, it } from 'vitest';
import { dialogOf, fromMenu, useBrowser } from './browser.js';
import { consoleWorld } from './world.js';

const visit = useBrowser();

/** Names, and the text shown for each. */
const NAMES: readonly (readonly [string, string])[] = [
  ['<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
  ['"><script>alert(1)</script>', '"><script>alert(1)</script>'],
  ["' onmouseover='alert(1)", "' onmouseover='alert(1)"],
  // Without escapes this would read "invoice-exe.pdf".
  ['invoice-\u202Efdp.exe', 'invoice-\\u{202e}fdp.exe'],
  ['ad\u200Bmin', 'ad\\u{200b}min'],
  ['\u2067isolated\u2069', '\\u{2067}isolated\\u{2069}'],
  ['bell\u0007 and escape\u001b[31m', 'bell\\u{7} and escape\\u{1b}[31m'],
  ['line\u2028separator', 'line\\u{2028}separator'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it must stay what it is
  ['${7*7} {{7*7}}', '${7*7} {{7*7}}'],
  ['__proto__', '__proto__'],
  ['constructor', 'constructor'],
  ['n'.repeat(200), 'n'.repeat(200)],
];

it('names are shown as text, with hiding and reordering characters escaped, in lists, dialogs and the audit', async () => {
  const world = await consoleWorld();
  await world.postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  for (const [name] of NAMES) {
    const types = { user: { endpoints: ['summarizer'] } };
    await world.postern.tokens.create({ name, description: name, types, owner: 'ada' });
  }
  const { page, leave } = await visit(world.origin, world.admin, { width: 360, height: 740 });
  const dialog = dialogOf(page);
  await page.goto(world.origin);
  for (const [, shown] of NAMES)
    await page.getByRole('rowheader').getByRole('link').getByText(shown, { exact: true }).waitFor();
  // Each is shown once as a name and once as a description.
  for (const [, shown] of NAMES) await expect.poll(() => page.getByText(shown, { exact: true }).count()).toBe(2);
  await expect.poll(() => page.locator('main img, main script, main [onerror], main [onmouseover]').count()).toBe(0);
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);

  const [, evil] = NAMES[0] as readonly [string, string];
  await page.getByRole('link', { name: evil, exact: true }).click();
  await page.getByRole('heading', { name: 'Where it was used' }).waitFor();
  await page.getByText('Created token').waitFor();
  // Its name, its description, and its name in the history.
  await expect.poll(() => page.getByText(evil, { exact: true }).count()).toBe(3);
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);

  await page.goto(`${world.origin}/audit`);
  for (const [, shown] of NAMES) await page.locator('strong').getByText(shown, { exact: true }).waitFor();

  await page.goto(`${world.origin}/endpoints`);
  await fromMenu(page, 'Change access', 'summarizer');
  await dialog.getByLabel('Private').check();
  await dialog.getByText(`${NAMES.length} tokens lose access`).waitFor();
  for (const [, shown] of NAMES) await dialog.getByText(shown, { exact: true }).waitFor();
  await leave();
});

it('a token with such a name is deleted by typing the shown name', async () => {
  const world = await consoleWorld();
  const types = { developer: { scopes: ['models:read'] } } as const;
  for (const name of ['invoice-\u202Efdp.exe', ' two  spaces '])
    await world.postern.tokens.create({ name, types, owner: 'ada' });
  const { page, leave } = await visit(world.origin, world.admin);
  const dialog = dialogOf(page);
  await page.goto(world.origin);
  for (const [shown, typed] of [
    ['invoice-\\u{202e}fdp.exe', 'invoice-\\u{202e}fdp.exe'],
    ['two spaces', 'two spaces'],
  ] as const) {
    await fromMenu(page, 'Delete', shown);
    await dialog.getByLabel('Type the name to confirm').fill(typed);
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await dialog.waitFor({ state: 'detached' });
  }
  await page.getByText('1 token', { exact: true }).waitFor();
  expect((await world.postern.tokens.list()).items.map(({ name }) => name)).toEqual(['admin']);
  await leave();
});
