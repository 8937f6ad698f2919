import { endpointAccess, scopeAccess } from 'postern';
import type { ManagementOptions } from 'postern/management';
import { describe, expect, it } from 'vitest';
import { findings } from './axe.js';
import { dialogOf, useBrowser } from './browser.js';
import { consoleWorld } from './world.js';

const visit = useBrowser();

const LOGO = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9H0z"/></svg>')}`;
const ACME: ManagementOptions = {
  branding: { name: 'Acme', logo: LOGO, color: '#ffd500', home: '/app' },
  loginUrl: '/login?next={return}',
  signOut: '/logout',
};

const tokenTypes = {
  model: endpointAccess({ label: 'Model access', description: 'Calls models.', noun: 'models' }),
  ops: scopeAccess(
    { jobs: { see: [], run: ['see'] } },
    {
      label: 'Operations',
      scopes: { jobs: { label: 'Batch jobs' }, 'jobs:run': { label: 'Run jobs', description: 'Costs money.' } },
    },
  ),
};
const permissions = {
  listTokens: 'jobs:see',
  manageTokens: 'jobs:run',
  readEndpoints: 'jobs:see',
  manageEndpoints: 'jobs:run',
  readAudit: 'jobs:see',
};

describe("the application's own", () => {
  it('name, logo, color and way home stand in place of postern’s, readable in light and dark', async () => {
    const world = await consoleWorld({ ...ACME, identify: () => ({ owner: 'bob', types: {} }) });
    for (const scheme of ['light', 'dark'] as const) {
      const { page, leave } = await visit(world.origin, null, { scheme });
      await page.goto(world.origin);
      await page.getByRole('heading', { name: 'API Tokens' }).waitFor();
      expect(await page.title()).toBe('API Tokens · Acme');
      await expect.poll(() => page.getByRole('link', { name: 'Acme' }).getAttribute('href')).toBe('/app');
      expect(await page.locator('.logo').evaluate((logo) => (logo as HTMLImageElement).naturalWidth)).toBeGreaterThan(
        0,
      );
      await expect.poll(() => page.getByRole('link', { name: 'Sign out' }).getAttribute('href')).toBe('/logout');
      await expect.poll(() => page.getByText('postern').count()).toBe(0);
      await page.getByRole('button', { name: 'Create', exact: true }).click();
      // Yellow, which nobody could read on white as it is.
      expect(await findings(page)).toEqual([]);
      await leave();
    }
  });

  it('sign-in is offered to who is signed out, with the way back', async () => {
    const world = await consoleWorld({ ...ACME, identify: () => null });
    const { page, leave } = await visit(world.origin, null);
    await page.goto(`${world.origin}/api_tokens?tab=organization`);
    await page.getByText('This page shows the API tokens of Acme.').waitFor();
    const address = await page.getByRole('link', { name: 'Sign in' }).getAttribute('href');
    expect(address).toBe(`/login?next=${encodeURIComponent('/api_tokens?tab=organization')}`);
    await leave();
  });

  it('way home is offered where no sign-in is named', async () => {
    const world = await consoleWorld({ branding: { name: 'Acme', home: '/app' }, identify: () => null });
    const { page, leave } = await visit(world.origin, null);
    await page.goto(world.origin);
    await expect.poll(() => page.getByRole('link', { name: 'Go to Acme' }).getAttribute('href')).toBe('/app');
    await leave();
  });

  it('token types and scopes are shown in its words, and no others', async () => {
    const types = { model: { endpoints: '*' as const }, ops: { scopes: ['*' as const] } };
    const world = await consoleWorld({ tokenTypes, permissions, identify: () => ({ owner: 'bob', types }) });
    const { page, leave } = await visit(world.origin, null);
    const dialog = dialogOf(page);
    await page.goto(world.origin);
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog.getByRole('switch', { name: 'Operations' }).check();
    await dialog.getByRole('switch', { name: 'Model access' }).check();
    await dialog.getByText('Calls models.').waitFor();
    await dialog.getByRole('group', { name: 'Batch jobs' }).getByText('Costs money.').waitFor();
    await dialog.getByLabel('Run jobs').check();
    await dialog.getByLabel('All models').check();
    await dialog.getByText('This token can call all models and use Run jobs.').waitFor();
    await expect.poll(() => dialog.getByText(/Deployment|Developer|BentoCloud|endpoints/i).count()).toBe(0);
    await leave();
  });
});

describe('the console in another language', () => {
  it.each([
    ['de', 'API-Token', 'Erstellen', 'Geben Sie dem Token einen Namen.', 'In 30 Tagen'],
    ['ja', 'APIトークン', '作成', 'トークンに名前を付けてください。', '30日後'],
  ])('is shown to a browser that prefers it: %s', async (locale, title, create, missing, days) => {
    const world = await consoleWorld();
    const { page, leave } = await visit(world.origin, world.admin, { locale });
    const dialog = dialogOf(page);
    await page.goto(world.origin);
    await page.getByRole('heading', { name: title }).waitFor();
    await expect.poll(() => page.locator('html').getAttribute('lang')).toBe(locale);
    await page.getByRole('button', { name: create, exact: true }).click();
    await dialog.getByRole('button', { name: create, exact: true }).click();
    await dialog.getByText(missing).waitFor();
    await expect.poll(() => dialog.getByRole('option', { name: days }).count()).toBe(1);
    expect(await findings(page)).toEqual([]);
    await leave();
  });

  it('can be chosen, and the choice is kept', async () => {
    const world = await consoleWorld();
    const { page, leave } = await visit(world.origin, world.admin);
    await page.goto(world.origin);
    await page.getByLabel('Language').selectOption('Deutsch');
    await page.getByRole('heading', { name: 'API-Token' }).waitFor();
    await page.goto(`${world.origin}/audit`);
    await page.getByRole('heading', { name: 'Protokoll' }).waitFor();
    await page.getByLabel('Sprache').selectOption('English');
    await page.getByRole('heading', { name: 'Audit' }).waitFor();
    await leave();
  });
});
