import { describe, expect, it } from 'vitest';
import { dialogOf, focusedName, fromMenu, namesIn, rowHead, tabTo, useBrowser } from './browser.js';
import { consoleWorld, reaches } from './world.js';

const visit = useBrowser();

async function worldWithEndpoints() {
  const world = await consoleWorld();
  await world.postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  await world.postern.endpoints.create({ id: 'translator', access: 'protected' });
  return world;
}

describe('the whole life of a token in the console', () => {
  it('works by mouse, from sign-in over create, update, rotate, revoke and delete to sign-out', async () => {
    const world = await worldWithEndpoints();
    const { page, leave } = await visit(world.origin, null);
    const dialog = dialogOf(page);
    const row = page.getByRole('row', { name: /nightly/ });

    await page.goto(world.origin);
    await page.getByLabel('Developer token').fill(world.admin);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'API Tokens' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/api_tokens');
    // Ada's own token is listed, and no token of the other organization.
    await rowHead(page, 'admin').waitFor();
    await expect.poll(() => page.getByText('not yours').count()).toBe(0);

    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText('Give the token a name.').waitFor();
    await dialog.getByLabel('Name').fill('nightly');
    await dialog.getByLabel('Description').fill('Build of the night');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog
      .getByText('Switch on at least one: Developer Operations Access or Protected Endpoint Access.')
      .waitFor();
    await dialog.getByRole('switch', { name: 'Developer Operations Access' }).click();
    await dialog.getByRole('switch', { name: 'Protected Endpoint Access' }).click();
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText('Choose at least one scope, or switch this access off.').waitFor();
    await dialog.getByLabel('models write').check();
    await expect.poll(() => dialog.getByLabel('models read').isChecked()).toBe(true);
    await dialog.getByLabel('summarizer').check();
    await dialog.getByLabel('Expires').selectOption('90');
    await dialog.getByText(/^Ends on \w+, \d+ \w+ \d{4}.*in 3 months\.$/).waitFor();
    await dialog.getByRole('button', { name: 'Create' }).click();

    await page.getByRole('heading', { name: 'Token created' }).waitFor();
    const token = await dialog.getByLabel('Token', { exact: true }).inputValue();
    expect(token).toMatch(/^pst_[0-9A-Za-z]{49}$/);
    await expect
      .poll(() => dialog.getByLabel('Log in from a terminal').inputValue())
      .toBe(`postern login --api-token --endpoint ${world.origin}`);
    await dialog.getByRole('button', { name: 'Copy token' }).click();
    await dialog.getByText('Copied.').waitFor();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(token);
    await dialog.getByRole('button', { name: 'Done' }).click();
    await expect.poll(() => page.locator('dialog').count()).toBe(0);
    // The secret was shown once, and the page keeps no part of it.
    expect(await page.content()).not.toContain(token);

    await row.getByText('Build of the night').waitFor();
    await expect
      .poll(() => row.getByRole('cell').allInnerTexts())
      .toEqual([
        '',
        'Active',
        'models:write, summarizer',
        expect.stringMatching(/^\d+ \w+ \d{4}$/),
        expect.stringMatching(/^\d+ \w+ \d{4}\s+in 3 months$/),
        'Never',
        '',
      ]);
    expect(await reaches(world, token, 'summarizer')).toBe('allowed');
    expect(await reaches(world, token, 'translator')).toBe('endpoint_not_granted');

    await page.getByLabel('Search by name or description').fill('NIGHT');
    await page.getByText('1 token', { exact: true }).waitFor();
    expect(await namesIn(page)).toEqual(['nightly']);
    await page.getByLabel('Search by name or description').fill('');

    await fromMenu(page, 'Update', 'nightly');
    await dialog.getByLabel('Name').fill('nightly build');
    await dialog.getByLabel('translator').check();
    await dialog.getByLabel('Expires').selectOption('never');
    await dialog.getByRole('button', { name: 'Update' }).click();
    await page.getByText('nightly build is updated.').waitFor();
    await rowHead(page, 'nightly build').waitFor();
    await expect.poll(() => row.getByRole('cell').nth(4).textContent()).toBe('Never');
    expect(await reaches(world, token, 'translator')).toBe('allowed');

    await row.getByRole('button', { name: 'More for nightly build' }).click();
    await page.getByRole('menuitem', { name: 'Rotate' }).click();
    await dialog.getByLabel('The old secret').selectOption('1h');
    await dialog.getByRole('button', { name: 'Rotate' }).click();
    await page.getByRole('heading', { name: 'Token rotated' }).waitFor();
    const rotated = await dialog.getByLabel('Token', { exact: true }).inputValue();
    await dialog.getByRole('button', { name: 'Copy token' }).click();
    await dialog.getByText('Copied.').waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
    expect(rotated).not.toBe(token);
    expect(await reaches(world, token, 'summarizer')).toBe('allowed');
    expect(await reaches(world, rotated, 'summarizer')).toBe('allowed');

    await row.getByRole('button', { name: 'More for nightly build' }).click();
    await page.getByRole('menuitem', { name: 'Revoke' }).click();
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await row.getByText('Revoked').waitFor();
    expect(await reaches(world, rotated, 'summarizer')).toBe('token_revoked');
    await row.getByRole('button', { name: 'More for nightly build' }).click();
    await expect.poll(() => page.getByRole('menuitem').allInnerTexts()).toEqual(['Open', 'Update', 'Delete']);
    await page.keyboard.press('Escape');

    await fromMenu(page, 'Delete', 'nightly build');
    await dialog.getByLabel('Type the name to confirm').fill('nightly');
    // The button says that it is disabled, and does nothing.
    await dialog.getByRole('button', { name: 'Delete' }).click({ force: true });
    expect((await world.postern.tokens.list()).items.map(({ name }) => name)).toContain('nightly build');
    await dialog.getByLabel('Type the name to confirm').fill('nightly build');
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('nightly build is deleted.').waitFor();
    await row.waitFor({ state: 'detached' });
    expect(await reaches(world, rotated, 'summarizer')).toBe('token_unknown');

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Developer token').waitFor();
    await page.reload();
    await page.getByLabel('Developer token').waitFor();
    await leave();
  });

  it('works by keyboard alone, and the focus always comes back to its place', async () => {
    const world = await worldWithEndpoints();
    const { page, leave } = await visit(world.origin, null);
    const { keyboard } = page;
    const dialog = dialogOf(page);

    await page.goto(`${world.origin}/api_tokens`);
    await page.getByLabel('Developer token').waitFor();
    await tabTo(page, 'Developer token');
    await keyboard.insertText(world.admin);
    await keyboard.press('Enter');
    await rowHead(page, 'admin').waitFor();
    await expect.poll(() => focusedName(page)).toBe('API Tokens');

    await tabTo(page, 'Create');
    await keyboard.press('Enter');
    await expect.poll(() => focusedName(page)).toBe('Name');
    await keyboard.type('nightly');
    await tabTo(page, 'Developer Operations Access');
    await keyboard.press('Space');
    await tabTo(page, 'models write');
    await keyboard.press('Space');
    await tabTo(page, 'Protected Endpoint Access');
    await keyboard.press('Space');
    await tabTo(page, 'Chosen Deployments');
    await keyboard.press('ArrowUp');
    await expect.poll(() => focusedName(page)).toBe('All Deployments');
    await tabTo(page, 'Expires');
    await keyboard.press('End');
    await dialog.getByText('Works until it is revoked or deleted.', { exact: true }).waitFor();
    await tabTo(page, 'Create');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Token created' }).waitFor();
    await expect.poll(() => focusedName(page)).toBe('Copy token');
    await keyboard.press('Enter');
    await dialog.getByText('Copied.').waitFor();
    const token = await page.evaluate(() => navigator.clipboard.readText());
    await keyboard.press('Escape');
    await expect.poll(() => page.locator('dialog').count()).toBe(0);
    await expect.poll(() => focusedName(page)).toBe('Create');
    expect(await reaches(world, token, 'translator')).toBe('allowed');

    await rowHead(page, 'nightly').waitFor();
    await tabTo(page, 'More for nightly');
    await keyboard.press('Enter');
    await expect.poll(() => focusedName(page)).toBe('Open');
    await keyboard.press('u');
    await keyboard.press('Enter');
    await expect.poll(() => focusedName(page)).toBe('Name');
    await keyboard.press('End');
    await keyboard.type(' build');
    await keyboard.press('Enter');
    await rowHead(page, 'nightly build').waitFor();
    await expect.poll(() => focusedName(page)).toBe('More for nightly build');

    await keyboard.press('ArrowDown');
    await expect.poll(() => focusedName(page)).toBe('Open');
    await keyboard.press('r');
    await expect.poll(() => focusedName(page)).toBe('Rotate');
    await keyboard.press('Escape');
    await expect.poll(() => focusedName(page)).toBe('More for nightly build');
    await keyboard.press('ArrowUp');
    await expect.poll(() => focusedName(page)).toBe('Delete');
    await keyboard.press('ArrowUp');
    await expect.poll(() => focusedName(page)).toBe('Revoke');
    await keyboard.press('ArrowUp');
    await keyboard.press('Enter');
    await expect.poll(() => focusedName(page)).toBe('The old secret');
    await tabTo(page, 'Rotate');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Token rotated' }).waitFor();
    await keyboard.press('Enter');
    await dialog.getByText('Copied.').waitFor();
    await tabTo(page, 'Done');
    await keyboard.press('Enter');
    await expect.poll(() => focusedName(page)).toBe('More for nightly build');

    await keyboard.press('Enter');
    await keyboard.press('End');
    await keyboard.press('Enter');
    await expect.poll(() => focusedName(page)).toBe('Type the name to confirm');
    await keyboard.type('nightly build');
    await keyboard.press('Enter');
    await rowHead(page, 'nightly').waitFor({ state: 'detached' });
    // The focused row is gone, so the page's heading has the focus.
    await expect.poll(() => focusedName(page)).toBe('API Tokens');
    expect((await world.postern.tokens.list()).items.map(({ name }) => name)).toEqual(['admin']);

    await tabTo(page, 'Personal tokens', 'Tab');
    await keyboard.press('ArrowRight');
    await expect.poll(() => focusedName(page)).toBe('Organization tokens');
    await page.getByText('No organization tokens yet').waitFor();
    await leave();
  });
});
