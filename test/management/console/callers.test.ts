import { describe, expect, it } from 'vitest';
import { dialogOf, fromMenu, namesIn, rowHead, useBrowser } from './browser.js';
import { consoleWorld, reaches } from './world.js';

const visit = useBrowser();

describe('the console shows', () => {
  it('a person of the application her own tokens, and those of the organization without buttons', async () => {
    const types = { user: { endpoints: ['summarizer'] } } as const;
    const world = await consoleWorld({ identify: () => ({ owner: 'bob', types, firstName: 'Bob' }) });
    const { tokens, endpoints } = world.postern;
    await endpoints.create({ id: 'summarizer', access: 'protected' });
    await endpoints.create({ id: 'translator', access: 'protected' });
    await tokens.create({ name: 'of all', types, owner: 'ada', ownership: 'organization' });
    await tokens.create({ name: 'of ada', types, owner: 'ada' });
    const { page, leave } = await visit(world.origin, null);
    const dialog = dialogOf(page);

    await page.goto(`${world.origin}/audit`);
    await page.getByText('No personal tokens yet').waitFor();
    expect(new URL(page.url()).pathname).toBe('/api_tokens');
    await expect.poll(() => page.getByRole('navigation').getByRole('link').allInnerTexts()).toEqual(['API Tokens']);
    await expect.poll(() => page.getByLabel('Owner').isVisible()).toBe(false);
    await expect.poll(() => page.getByRole('button', { name: 'Sign out' }).count()).toBe(0);

    await page.getByRole('tab', { name: 'Organization tokens' }).click();
    await rowHead(page, 'of all').waitFor();
    await expect.poll(() => page.getByRole('button', { name: /^(Update|Delete)/ }).count()).toBe(0);
    await page.getByRole('button', { name: 'More for of all' }).click();
    await expect.poll(() => page.getByRole('menuitem').allInnerTexts()).toEqual(['Open']);
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await expect.poll(() => dialog.getByText('Belongs to').count()).toBe(0);
    await expect
      .poll(() => dialog.getByRole('switch', { name: 'Developer Operations Access' }).isDisabled())
      .toBe(true);
    await dialog.getByLabel('Name').fill('mine');
    await dialog.getByRole('switch', { name: 'Protected Endpoint Access' }).check();
    await expect.poll(() => dialog.getByLabel('All Deployments').isDisabled()).toBe(true);
    await expect.poll(() => dialog.getByLabel('translator').count()).toBe(0);
    await dialog.getByLabel('summarizer').check();
    await dialog.getByRole('button', { name: 'Create' }).click();
    const token = await dialog.getByLabel('Token', { exact: true }).inputValue();
    expect(await reaches(world, token, 'summarizer')).toBe('allowed');
    // No command is shown for a token that manages nothing.
    await expect.poll(() => dialog.getByLabel('Log in from a terminal').count()).toBe(0);
    await dialog.getByRole('button', { name: 'Copy token' }).click();
    await dialog.getByText('Copied.').waitFor();
    await dialog.getByRole('button', { name: 'Done' }).click();
    // The list that the new token is in.
    await rowHead(page, 'mine').waitFor();
    expect(await namesIn(page)).toEqual(['mine']);
    await page.getByRole('button', { name: 'More for mine' }).click();
    await expect
      .poll(() => page.getByRole('menuitem').allInnerTexts())
      .toEqual(['Open', 'Update', 'Rotate', 'Revoke', 'Delete']);
    await leave();
  });

  it('no sign-in to people of the application', async () => {
    let who: { owner: string; types: object } | null = null;
    const world = await consoleWorld({ identify: () => who });
    const { page, leave } = await visit(world.origin, null);
    await page.goto(world.origin);
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await expect.poll(() => page.getByLabel('Developer token').count()).toBe(0);
    who = { owner: 'bob', types: {} };
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'API Tokens' }).waitFor();
    await leave();
  });

  it('everything to a reader, without buttons that would be refused', async () => {
    const world = await consoleWorld();
    await world.postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    const types = { developer: { scopes: ['iam:read', 'deployments:read'] } } as const;
    const { token } = await world.postern.tokens.create({ name: 'reader', types, owner: 'carol' });
    const { page, leave } = await visit(world.origin, token);
    await page.goto(world.origin);
    await rowHead(page, 'reader').waitFor();
    await page.getByLabel('Owner').selectOption({ label: 'Everyone’s tokens' });
    await rowHead(page, 'admin').waitFor();
    await expect.poll(() => page.getByRole('columnheader').allInnerTexts()).toContain('Owner');
    await expect.poll(() => page.getByRole('row', { name: /admin/ }).getByText('Ada Lovelace').count()).toBe(1);
    for (const path of ['/api_tokens', '/endpoints']) {
      await page.goto(world.origin + path);
      await page.getByRole('table').waitFor();
      await expect.poll(() => page.getByRole('button', { name: /^(Create|Update|Delete|Change)/ }).count()).toBe(0);
    }
    await page.getByRole('link', { name: 'Audit' }).click();
    await page.getByRole('row', { name: /Created endpoint summarizer/ }).waitFor();
    await leave();
  });

  it("a manager of tokens all tokens, but not other people's secrets", async () => {
    const world = await consoleWorld();
    const types = { developer: { scopes: ['models:read'] } } as const;
    await world.postern.tokens.create({ name: 'of bob', types, owner: 'bob' });
    await world.postern.tokens.create({ name: 'of all', types, owner: 'bob', ownership: 'organization' });
    const { page, leave } = await visit(world.origin, world.admin);
    await page.goto(`${world.origin}/api_tokens?owner=everyone`);
    await page.getByRole('button', { name: 'More for of bob' }).click();
    await expect.poll(() => page.getByRole('menuitem').allInnerTexts()).toEqual(['Open', 'Update', 'Revoke', 'Delete']);
    await page.keyboard.press('Escape');
    await page.getByRole('tab', { name: 'Organization tokens' }).click();
    await page.getByRole('button', { name: 'More for of all' }).click();
    await expect
      .poll(() => page.getByRole('menuitem').allInnerTexts())
      .toEqual(['Open', 'Update', 'Rotate', 'Revoke', 'Delete']);
    await leave();
  });

  it('a rename also for a token with a grant that the caller could not give', async () => {
    const world = await consoleWorld();
    await world.postern.endpoints.create({ id: 'gone', access: 'protected' });
    const types = { user: { endpoints: ['gone'] } } as const;
    const { record } = await world.postern.tokens.create({ name: 'caller', types, owner: 'ada' });
    await world.postern.endpoints.delete('gone');
    const { page, leave } = await visit(world.origin, world.admin);
    const dialog = dialogOf(page);
    await page.goto(world.origin);
    await fromMenu(page, 'Update', 'caller');
    await dialog.getByText('The token does not reach them any more: gone').waitFor();
    await dialog.getByLabel('Name').fill('old caller');
    await dialog.getByRole('button', { name: 'Update' }).click();
    await rowHead(page, 'old caller').waitFor();
    expect((await world.postern.tokens.get(record.id))?.types).toEqual(types);
    await leave();
  });

  it('the same below a path of another application', async () => {
    const basePath = '/admin/tokens';
    const world = await consoleWorld({ basePath });
    const { page, leave } = await visit(world.origin, world.admin, { basePath });
    const dialog = dialogOf(page);
    await page.goto(`${world.origin}/admin/tokens`);
    await rowHead(page, 'admin').waitFor();
    expect(new URL(page.url()).pathname).toBe('/admin/tokens/api_tokens');
    await page.getByRole('link', { name: 'Audit' }).click();
    await page.getByText('Created token admin').waitFor();
    expect(new URL(page.url()).pathname).toBe('/admin/tokens/audit');
    await page.goBack();
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog.getByLabel('Name').fill('ci');
    await dialog.getByRole('switch', { name: 'Developer Operations Access' }).check();
    await dialog.getByLabel('models read').check();
    await dialog.getByRole('button', { name: 'Create' }).click();
    await expect
      .poll(() => dialog.getByLabel('Log in from a terminal').inputValue())
      .toMatch(new RegExp(`--endpoint ${world.origin}/admin/tokens$`));
    await leave();
  });
});
