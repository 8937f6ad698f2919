import { expect, it } from 'vitest';
import { dialogOf, focusedName, namesIn, rowHead, tabTo, useBrowser } from './browser.js';
import { consoleWorld } from './world.js';

const visit = useBrowser();
const types = { developer: { scopes: ['models:read'] } } as const;

it('tokens are filtered, sorted, selected and revoked together by keyboard alone', async () => {
  const world = await consoleWorld({ behind: 1000 });
  for (const name of ['b', 'c', 'a']) await world.postern.tokens.create({ name, types, owner: 'ada' });
  const { page, leave } = await visit(world.origin, world.admin);
  const { keyboard } = page;
  const dialog = dialogOf(page);
  const isChecked = (name: string) => page.getByLabel(name, { exact: true }).isChecked();
  await page.goto(world.origin);
  await rowHead(page, 'admin').waitFor();

  await tabTo(page, 'Status');
  await keyboard.press('ArrowDown');
  await expect.poll(() => new URL(page.url()).search).toBe('?state=active');
  await expect.poll(() => focusedName(page)).toBe('Status');
  await tabTo(page, 'Sort by');
  await keyboard.press('ArrowDown');
  await expect.poll(() => namesIn(page)).toEqual(['a', 'admin', 'b', 'c']);
  await expect.poll(() => focusedName(page)).toBe('Sort by');

  await tabTo(page, 'Select a');
  await keyboard.press('Space');
  await page.getByText('1 token selected').waitFor();
  await expect.poll(() => focusedName(page)).toBe('Select a');
  const all = page.getByLabel('Select all on this page');
  await expect.poll(() => all.evaluate((box: HTMLInputElement) => box.indeterminate)).toBe(true);
  await tabTo(page, 'Clear the selection', 'Shift+Tab');
  await keyboard.press('Enter');
  await expect.poll(() => focusedName(page)).toBe('Select all on this page');
  await expect.poll(() => isChecked('Select a')).toBe(false);

  await keyboard.press('Space');
  await page.getByText('4 tokens selected').waitFor();
  await tabTo(page, 'Select admin');
  await keyboard.press('Space');
  await page.getByText('3 tokens selected').waitFor();
  await tabTo(page, 'Revoke', 'Shift+Tab');
  await keyboard.press('Enter');
  await dialog.getByRole('heading', { name: 'Revoke 3 tokens' }).waitFor();
  // A way back loses nothing.
  await keyboard.press('Escape');
  await expect.poll(() => focusedName(page)).toBe('Revoke');
  expect([await isChecked('Select a'), await isChecked('Select admin')]).toEqual([true, false]);

  await keyboard.press('Enter');
  await dialog.getByRole('heading', { name: 'Revoke 3 tokens' }).waitFor();
  await tabTo(page, 'Revoke');
  await keyboard.press('Enter');
  await page.getByText('3 tokens are revoked.').waitFor();
  await expect.poll(() => namesIn(page)).toEqual(['admin']);
  await expect.poll(() => focusedName(page)).toBe('API Tokens');
  const { items } = await world.postern.tokens.list();
  expect(items.filter(({ revokedAt }) => revokedAt === null).map(({ name }) => name)).toEqual(['admin']);
  await leave();
});

it('a bulk of revocations that stops half-way says how far it came, and goes on from there', async () => {
  const world = await consoleWorld();
  for (const name of ['one', 'two', 'three']) await world.postern.tokens.create({ name, types, owner: 'ada' });
  const { page, leave } = await visit(world.origin, world.admin);
  const dialog = dialogOf(page);
  await page.goto(world.origin);
  for (const name of ['one', 'two', 'three']) await page.getByLabel(`Select ${name}`, { exact: true }).check();
  await page.getByRole('button', { name: 'Revoke', exact: true }).click();
  let seen = 0;
  world.intercept((_, path) => {
    if (path.endsWith('/revoke')) seen += 1;
    return path.endsWith('/revoke') && seen >= 2 ? 'drop' : null;
  });
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await dialog.getByText('1 of 3 are revoked.').waitFor();
  await expect.poll(() => dialog.getByRole('listitem').count()).toBe(2);
  world.intercept(null);
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await page.getByText('3 tokens are revoked.').waitFor();
  await page.getByRole('cell', { name: 'Revoked' }).nth(2).waitFor();
  await leave();
});
