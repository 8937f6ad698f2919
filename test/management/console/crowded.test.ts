import { describe, expect, it } from 'vitest';
import { crowdedStore } from '../../support/crowd.js';
import { dialogOf, fromMenu, rowHead, useBrowser } from './browser.js';
import { consoleWorld, ORGANIZATION, reaches } from './world.js';

const visit = useBrowser();

it('a search continues after the part that the server read, and goes back to the newest', async () => {
  const store = await crowdedStore({ organization: ORGANIZATION });
  const world = await consoleWorld({ store });
  const { page, leave } = await visit(world.origin, world.admin);
  await page.goto(`${world.origin}/api_tokens?owner=everyone`);
  await page.getByText('1–25 of at least 10,000 tokens').waitFor();
  await page.getByLabel('Search by name or description').fill('needle');
  await page.getByText('Older tokens were not searched yet.').waitFor();
  await expect.poll(() => page.getByRole('rowheader').count()).toBe(0);
  await page.getByRole('button', { name: 'Search further' }).click();
  await rowHead(page, 'needle').waitFor();
  await page.getByText('That is all.').waitFor();
  await page.reload();
  await rowHead(page, 'needle').waitFor();
  await page.getByRole('button', { name: 'Back to the newest' }).click();
  await page.getByRole('button', { name: 'Search further' }).waitFor();
  await page.getByLabel('Search by name or description').fill('');
  await page.getByText('1–25 of at least 10,000 tokens').waitFor();
  expect(new URL(page.url()).search).toBe('?owner=everyone');
  await leave();
});

describe('a grant of a deleted endpoint', () => {
  async function bereaved() {
    const world = await consoleWorld();
    const { endpoints, tokens } = world.postern;
    for (const id of ['gone', 'there']) await endpoints.create({ id, access: 'protected' });
    const types = { user: { endpoints: ['gone', 'there'] } } as const;
    const { token, record } = await tokens.create({ name: 'caller', types, owner: 'ada' });
    // To grant endpoints a caller must reach them.
    const every = { developer: { scopes: ['*'] }, user: { endpoints: '*' } } as const;
    const { token: admin } = await tokens.create({ name: 'all', types: every, owner: 'ada' });
    await endpoints.delete('gone');
    const { page, leave } = await visit(world.origin, admin);
    return { world, token, page, leave, read: () => tokens.get(record.id) };
  }

  it('is marked in the list and the details, and can be removed', async () => {
    const { world, token, page, leave, read } = await bereaved();
    const dialog = dialogOf(page);
    await page.goto(world.origin);
    await page.getByText('1 deleted endpoint').waitFor();
    await page.getByRole('link', { name: 'caller', exact: true }).click();
    await page.getByRole('listitem').filter({ hasText: 'gone' }).getByText('1 deleted endpoint').waitFor();
    await page.getByRole('link', { name: 'All tokens' }).click();
    await fromMenu(page, 'Update', 'caller');
    await dialog.getByLabel('Take away the grants of deleted endpoints').check();
    await dialog.getByRole('button', { name: 'Update' }).click();
    await page.getByText('1 deleted endpoint').waitFor({ state: 'detached' });
    expect(await read()).toMatchObject({ types: { user: { endpoints: ['there'] } } });
    expect(await reaches(world, token, 'there')).toBe('allowed');
    await leave();
  });

  it('does not become a grant of the new endpoint of its name unless that is chosen', async () => {
    const { world, token, page, leave, read } = await bereaved();
    await world.postern.endpoints.create({ id: 'gone', access: 'protected' });
    const dialog = dialogOf(page);
    const update = async (change: () => Promise<void>, name: string) => {
      await page.goto(world.origin);
      await fromMenu(page, 'Update', name);
      await dialog.getByText('This is a new endpoint. The one that the token was granted was deleted.').waitFor();
      await change();
      await dialog.getByRole('button', { name: 'Update' }).click();
      await dialog.waitFor({ state: 'detached' });
    };
    await update(() => dialog.getByLabel('Name').fill('renamed'), 'caller');
    expect(await read()).toMatchObject({ name: 'renamed', deadGrants: [{ type: 'user', endpoint: 'gone' }] });
    expect(await reaches(world, token, 'gone')).toBe('endpoint_not_granted');
    await update(() => dialog.getByLabel('gone', { exact: true }).check(), 'renamed');
    expect(await read()).not.toHaveProperty('deadGrants');
    expect(await reaches(world, token, 'gone')).toBe('allowed');
    await leave();
  });
});
