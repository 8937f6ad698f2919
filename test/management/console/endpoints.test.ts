import { describe, expect, it } from 'vitest';
import { dialogOf, fromMenu, rowHead, useBrowser } from './browser.js';
import { consoleWorld, reaches } from './world.js';

const visit = useBrowser();

describe('endpoints in the console', () => {
  it('are created, opened and closed after a preview, and deleted', async () => {
    const world = await consoleWorld();
    const { page, leave } = await visit(world.origin, world.admin);
    const dialog = dialogOf(page);
    const change = () => dialog.getByRole('button', { name: 'Change access' });
    const isHeldBack = async () => (await change().getAttribute('aria-disabled')) === 'true';
    await page.goto(`${world.origin}/endpoints`);
    await page.getByText('No endpoints yet').waitFor();

    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog.getByLabel('Name').fill('no spaces, please');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText('Use letters, digits, dots, dashes and underscores').waitFor();
    await dialog.getByLabel('Name').fill('summarizer');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await rowHead(page, 'summarizer').waitFor();
    const types = { user: { endpoints: ['summarizer'] } } as const;
    const { token } = await world.postern.tokens.create({ name: 'caller', types, owner: 'bob' });
    await world.postern.tokens.create({ name: 'unconcerned', types: { developer: { scopes: ['*'] } }, owner: 'bob' });
    expect(await reaches(world, token, 'summarizer')).toBe('allowed');

    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog.getByLabel('Name').fill('summarizer');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.locator('.field', { hasText: 'Name' }).getByText('is already registered').waitFor();
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Discard' }).click();

    await fromMenu(page, 'Change access', 'summarizer');
    expect(await isHeldBack()).toBe(true);
    await dialog.getByLabel('Public').check();
    await dialog.getByText('Anyone who can reach the server will be able to call it').waitFor();
    await dialog.getByText('No token loses access.').waitFor();
    await dialog.getByLabel('Private').check();
    await dialog.getByRole('heading', { name: '1 token loses access' }).waitFor();
    await expect
      .poll(() => dialog.getByRole('listitem').allInnerTexts())
      .toEqual([expect.stringMatching(/^caller (used it|never used it)/)]);
    expect(await isHeldBack()).toBe(false);
    await change().click();
    await page.getByText('summarizer is private now.').waitFor();
    expect(await reaches(world, token, 'summarizer')).toBe('endpoint_private');
    await page
      .getByRole('row', { name: /summarizer/ })
      .getByText('Private', { exact: true })
      .waitFor();

    await fromMenu(page, 'Delete', 'summarizer');
    await dialog.getByLabel('Type the name to confirm').fill('summarizer');
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No endpoints yet').waitFor();
    expect(await reaches(world, token, 'summarizer')).toBe('endpoint_unknown');
    await leave();
  });

  it('are not changed while the preview fails', async () => {
    const world = await consoleWorld();
    await world.postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    const { page, leave } = await visit(world.origin, world.admin);
    const dialog = dialogOf(page);
    await page.goto(`${world.origin}/endpoints`);
    await fromMenu(page, 'Change access', 'summarizer');
    world.intercept((_, path) => (path.endsWith('/preview') ? 'drop' : null));
    await dialog.getByLabel('Public').check();
    await dialog.getByText('The server could not be reached.').waitFor();
    await expect
      .poll(() => dialog.getByRole('button', { name: 'Change access' }).getAttribute('aria-disabled'))
      .toBe('true');
    world.intercept(null);
    await dialog.getByRole('button', { name: 'Try again' }).click();
    await dialog.getByText('Anyone who can reach the server').waitFor();
    await dialog.getByRole('button', { name: 'Change access' }).click();
    await page.getByText('summarizer is public now.').waitFor();
    await leave();
  });

  it('are found by name, also among many in the form of a token', async () => {
    const world = await consoleWorld();
    for (let number = 10; number < 32; number++) {
      await world.postern.endpoints.create({ id: `model-${number}`, access: 'protected' });
    }
    const { page, leave } = await visit(world.origin, world.admin);
    const dialog = dialogOf(page);
    await page.goto(`${world.origin}/endpoints`);
    await page.getByText('22 endpoints').waitFor();
    await page.getByLabel('Find an endpoint').fill('-3');
    await expect.poll(() => page.getByRole('rowheader').allInnerTexts()).toEqual(['model-30', 'model-31']);

    await page.getByRole('link', { name: 'API Tokens' }).click();
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog.getByLabel('Name').fill('caller');
    await dialog.getByRole('switch', { name: 'Protected Endpoint Access' }).check();
    await dialog.getByLabel('Find an endpoint').fill('31');
    await expect.poll(() => dialog.getByRole('checkbox').count()).toBe(1);
    await dialog.getByRole('checkbox').check();
    await dialog.getByLabel('Find an endpoint').fill('10');
    await dialog.getByRole('checkbox').check();
    // Enter in the search box searches and does not send the form.
    await dialog.getByLabel('Find an endpoint').press('Enter');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { name: 'Token created' }).waitFor();
    const [record] = (await world.postern.tokens.list()).items;
    expect(record?.types).toEqual({ user: { endpoints: ['model-10', 'model-31'] } });
    await leave();
  });
});

it('an endpoint is deleted only after its tokens were named, and opened with a warning', async () => {
  const world = await consoleWorld();
  await world.postern.endpoints.create({ id: 'summarizer', access: 'private' });
  const types = { user: { endpoints: ['summarizer'] } } as const;
  await world.postern.tokens.create({ name: 'caller', types, owner: 'bob' });
  const { page, leave } = await visit(world.origin, world.admin);
  const dialog = dialogOf(page);
  await page.goto(`${world.origin}/endpoints`);
  await fromMenu(page, 'Delete', 'summarizer');
  await dialog.getByRole('heading', { name: '1 token is granted this endpoint' }).waitFor();
  await dialog.getByRole('listitem').getByText('caller').waitFor();
  await page.keyboard.press('Escape');
  await fromMenu(page, 'Change access', 'summarizer');
  await dialog.getByLabel('Public').check();
  await dialog.getByText('Everyone gains access').waitFor();
  const color = await dialog
    .getByRole('button', { name: 'Change access' })
    .evaluate((found) => getComputedStyle(found).backgroundColor);
  expect(color).toBe('rgb(179, 38, 30)');
  await leave();
});
