import { describe, expect, it } from 'vitest';
import { dialogOf, focusedName, fromMenu, namesIn, useBrowser } from './browser.js';
import { consoleWorld } from './world.js';

const visit = useBrowser();
const DAY = 86_400_000;

async function manyTokens(count: number) {
  const world = await consoleWorld();
  for (let number = 1; number <= count; number++) {
    const types = number % 2 === 0 ? { user: { endpoints: '*' } } : { developer: { scopes: ['models:read'] } };
    await world.postern.tokens.create({ name: `token ${number}`, types: types as never, owner: 'ada' });
  }
  return world;
}

describe('the list of tokens in the console', () => {
  it('comes in pages that the address remembers', async () => {
    const world = await manyTokens(59);
    const { page, leave } = await visit(world.origin, world.admin);
    await page.goto(world.origin);
    await page.getByText('1–25 of 60 tokens').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('26–50 of 60 tokens').waitFor();
    await expect.poll(() => focusedName(page)).toBe('Next');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('51–60 of 60 tokens').waitFor();
    await expect.poll(() => page.getByRole('rowheader').count()).toBe(10);
    await expect.poll(() => page.getByRole('button', { name: 'Next' }).getAttribute('aria-disabled')).toBe('true');
    await page.reload();
    await page.getByText('51–60 of 60 tokens').waitFor();
    await page.getByRole('button', { name: 'Previous' }).click();
    await page.getByText('26–50 of 60 tokens').waitFor();

    await page.getByLabel('Type').selectOption({ label: 'Protected Endpoint Access' });
    await page.getByText('1–25 of 29 tokens').waitFor();
    await page.getByLabel('Search by name or description').fill('token 58');
    await page.getByText('1 token', { exact: true }).waitFor();
    expect(new URL(page.url()).search).toBe('?search=token+58&type=user');
    await page.getByLabel('Search by name or description').fill('nothing has this name');
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await page.getByText('1–25 of 60 tokens').waitFor();
    await expect.poll(() => focusedName(page)).toBe('Search by name or description');
    await leave();
  });

  it('goes back a page if the last token of the last page is deleted', async () => {
    const world = await manyTokens(25);
    const { page, leave } = await visit(world.origin, world.admin);
    const dialog = dialogOf(page);
    await page.goto(`${world.origin}/api_tokens?start=25`);
    await page.getByText('26–26 of 26 tokens').waitFor();
    await page.getByRole('button', { name: 'More for admin' }).waitFor();
    const [oldest] = (await world.postern.tokens.list({ search: 'token 1' })).items.slice(-1);
    await world.postern.tokens.delete(oldest?.id ?? '');
    await page.reload();
    await page.getByText('25 tokens', { exact: true }).waitFor();
    expect(new URL(page.url()).search).toBe('');
    await expect.poll(() => dialog.count()).toBe(0);
    await leave();
  });

  it('is filtered by status among all tokens, not only among the newest', async () => {
    const world = await consoleWorld({ behind: 100 * DAY });
    const types = { developer: { scopes: ['models:read'] } } as const;
    const { record } = await world.postern.tokens.create({ name: 'long gone', types, owner: 'ada' });
    await world.postern.tokens.revoke(record.id);
    world.setBehind(0);
    const create = (name: string) => world.postern.tokens.create({ name, types, owner: 'ada' });
    for (let number = 1; number <= 1_100; number++) await create(`token ${number}`);
    const { page, leave } = await visit(world.origin, world.admin);
    await page.goto(world.origin);
    await page.getByText('1–25 of 1,102 tokens').waitFor();
    await page.getByLabel('Status').selectOption({ label: 'Revoked' });
    await page.getByText('1 token', { exact: true }).waitFor();
    expect(await namesIn(page)).toEqual(['long gone']);
    await page.getByLabel('Status').selectOption({ label: 'Active' });
    await page.getByText('1–25 of 1,100 tokens').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('26–50 of 1,100 tokens').waitFor();
    await leave();
  });

  it('does not show an answer that a later one overtook', async () => {
    const world = await manyTokens(3);
    const { page, leave } = await visit(world.origin, world.admin);
    await page.goto(world.origin);
    await page.getByText('4 tokens', { exact: true }).waitFor();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route(/search=token\+1/, async (route) => {
      await held;
      await route.continue().catch(() => {});
    });
    const first = (request: { url(): string }) => /search=token\+1/.test(request.url());
    const asked = page.waitForRequest(first);
    // The request was cancelled, or it was answered.
    const over = Promise.race([page.waitForEvent('requestfailed', first), page.waitForEvent('requestfinished', first)]);
    await page.getByLabel('Search by name or description').fill('token 1');
    await asked;
    await page.getByLabel('Search by name or description').fill('token 2');
    await page.getByText('1 token', { exact: true }).waitFor();
    release();
    await over;
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    expect(await namesIn(page)).toEqual(['token 2']);
    await leave();
  });

  it('shows the uses of a token', async () => {
    const world = await consoleWorld();
    await world.postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    const types = { user: { endpoints: ['summarizer'] } } as const;
    const { token, record } = await world.postern.tokens.create({ name: 'caller', types, owner: 'ada' });
    for (let call = 0; call < 3; call++)
      await world.postern.authorize({ token, requirement: { endpoint: 'summarizer' } });
    const { page, leave } = await visit(world.origin, world.admin);
    await page.goto(world.origin);
    // Uses are written in batches, so they are put into the store directly.
    await page.route(`**/${record.id}/usage`, (route) =>
      route.fulfill({
        json: {
          items: [
            { endpoint: 'summarizer', count: 12345, last_used_at: new Date().toISOString() },
            { endpoint: null, count: 1, last_used_at: new Date().toISOString() },
          ],
        },
      }),
    );
    await page.getByRole('link', { name: 'caller', exact: true }).click();
    await page.getByRole('row', { name: /summarizer 12,345/ }).waitFor();
    await page.getByRole('row', { name: /No endpoint \(API calls\) 1/ }).waitFor();
    await expect.poll(() => page.getByRole('definition').getByText(record.hint).count()).toBe(1);
    expect(new URL(page.url()).pathname).toBe(`/api_tokens/${record.id}`);
    await expect.poll(() => focusedName(page)).toMatch(/^caller/);
    await page.unroute(`**/${record.id}/usage`);
    await page.goBack();
    await page.getByRole('link', { name: 'admin', exact: true }).click();
    await page.getByRole('heading', { name: 'Where it was used' }).waitFor();
    await leave();
  });
});

describe('the audit in the console', () => {
  it('tells who did what, when and from where, newest first, with older ones on request', async () => {
    const world = await consoleWorld();
    for (let number = 1; number <= 60; number++) {
      await world.postern.endpoints.create({ id: `endpoint-${number}`, access: 'private' });
    }
    const { page, leave } = await visit(world.origin, world.admin);
    const dialog = dialogOf(page);
    await page.goto(world.origin);
    await fromMenu(page, 'Update', 'admin');
    await dialog.getByLabel('Description').fill('Mine');
    await dialog.getByRole('button', { name: 'Update' }).click();
    await page.getByText('admin is updated.').waitFor();

    await page.getByRole('link', { name: 'Audit' }).click();
    const first = page.getByRole('row').nth(1);
    await first.getByText('Updated token admin').waitFor();
    const [record] = (await world.postern.tokens.list()).items;
    // Names beside ids: of the changed token, and of the one that it was changed with.
    await first
      .getByRole('rowheader')
      .getByText(record?.id as string)
      .waitFor();
    await expect.poll(() => first.getByRole('cell').nth(0).textContent()).toBe(`adawith admin${record?.id}`);
    await expect.poll(() => first.getByRole('cell').nth(1).textContent()).toBe('127.0.0.1');
    await first.getByText('What changed').click();
    await expect.poll(() => first.locator('del').textContent()).toMatch(/empty$/);
    await expect.poll(() => first.locator('ins').textContent()).toMatch(/Mine$/);
    await page
      .getByRole('row', { name: /Created endpoint endpoint-60/ })
      .getByText('The application')
      .waitFor();

    await expect.poll(() => page.getByRole('rowheader').count()).toBe(50);
    await page.getByRole('button', { name: 'Show older' }).click();
    await page.getByText('That is all.').waitFor();
    await expect.poll(() => page.getByRole('rowheader').count()).toBe(62);
    await expect.poll(() => page.getByText('elsewhere').count()).toBe(0);
    await page.getByLabel('Kind of change').selectOption({ label: 'Created token' });
    await page.getByText('That is all.').waitFor();
    await expect.poll(() => page.getByRole('rowheader').count()).toBe(1);
    await leave();
  });

  it('is searched by the server: by kind, whole id and days, which the address remembers', async () => {
    const world = await consoleWorld({ behind: 3 * DAY });
    const { endpoints } = world.postern;
    // As many later changes as hide the early ones from a search among the loaded.
    await endpoints.create({ id: 'early', access: 'private' });
    await endpoints.update('early', { access: 'protected' });
    world.setBehind(0);
    for (let number = 1; number <= 60; number++) await endpoints.create({ id: `late-${number}`, access: 'private' });
    const { page, leave } = await visit(world.origin, world.admin);
    const shown = () => page.getByRole('rowheader').count();
    await page.goto(`${world.origin}/audit`);
    await page.getByText('50 changes shown.').waitFor();

    await page.getByLabel('Whole id of a token or an endpoint').fill('early');
    await page.getByText('That is all.').waitFor();
    await expect.poll(shown).toBe(2);
    await page.getByLabel('Kind of change').selectOption({ label: 'Updated endpoint' });
    await expect.poll(shown).toBe(1);
    expect(new URL(page.url()).search).toBe('?type=endpoint.updated&subject=early');
    await page.reload();
    await page.getByText('That is all.').waitFor();
    await expect.poll(shown).toBe(1);
    await page.getByRole('button', { name: 'Show older' }).waitFor({ state: 'detached' });
    await page.getByLabel('By', { exact: true }).fill('ada');
    await page.getByText('No change matches').waitFor();
    expect(new URL(page.url()).search).toBe('?type=endpoint.updated&subject=early&actor=ada');
    await page.getByLabel('By', { exact: true }).fill('application');
    await expect.poll(shown).toBe(1);
    await page.getByLabel('By', { exact: true }).fill('');
    await page.getByLabel('Whole id of a token or an endpoint').fill('earl');
    await page.getByText('Ids are found whole').waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await page.getByText('50 changes shown.').waitFor();
    await expect.poll(() => focusedName(page)).toBe('Whole id of a token or an endpoint');

    const day = (ago: number) => new Date(Date.now() - ago * DAY).toISOString().slice(0, 10);
    await page.getByLabel('To', { exact: true }).fill(day(3));
    await page.getByText('That is all.').waitFor();
    // The last day counts: two changes of the endpoint, and the admin's token.
    await expect.poll(shown).toBe(3);
    await page.getByLabel('To', { exact: true }).fill('');
    await page.getByLabel('From', { exact: true }).fill(day(1));
    await page.getByRole('button', { name: 'Show older' }).click();
    await page.getByText('That is all.').waitFor();
    await expect.poll(shown).toBe(60);
    // An endpoint's name leads to all of its changes.
    await page.getByRole('link', { name: 'late-7', exact: true }).click();
    await expect.poll(shown).toBe(1);
    expect(new URL(page.url()).search).toBe('?subject=late-7');
    await page.goBack();
    await page.getByText('50 changes shown.').waitFor();
    await expect.poll(() => page.getByLabel('From', { exact: true }).inputValue()).toBe(day(1));
    await leave();
  });
});
