import { expect, it } from 'vitest';
import { dialogOf, focusedName, fromMenu, rowHead, tabTo, useBrowser } from './browser.js';
import { consoleWorld } from './world.js';

const visit = useBrowser();
const types = { developer: { scopes: ['models:read'] } } as const;

it('limits are given to a new token, by keyboard alone, and said in the sentence about it', async () => {
  const world = await consoleWorld();
  const { page, leave } = await visit(world.origin, world.admin);
  const dialog = dialogOf(page);
  const { keyboard } = page;
  await page.goto(world.origin);
  await rowHead(page, 'admin').waitFor();
  await tabTo(page, 'Create');
  await keyboard.press('Enter');
  await expect.poll(() => focusedName(page)).toBe('Name');
  await keyboard.type('ci');
  await tabTo(page, 'Developer Operations Access');
  await keyboard.press('Space');
  await tabTo(page, 'models read');
  await keyboard.press('Space');
  await tabTo(page, 'Rate limit');
  await keyboard.press('Space');
  await dialog.getByText('This token can use models:read. It may make at most 60 calls in 1 minute.').waitFor();
  await tabTo(page, 'Rate limit: Calls');
  await keyboard.press('ControlOrMeta+A');
  await keyboard.type('5');
  await tabTo(page, 'Quota');
  await keyboard.press('Space');
  await tabTo(page, 'Quota: Length of time');
  await keyboard.press('ControlOrMeta+A');
  await keyboard.type('7');
  await dialog.getByText('It may make at most 5 calls in 1 minute and 10,000 calls in 7 days.').waitFor();
  await keyboard.press('Enter');
  await dialog.getByRole('heading', { name: 'Token created' }).waitFor();
  const [record] = (await world.postern.tokens.list({ search: 'ci' })).items;
  expect(record).toMatchObject({
    rateLimit: { points: 5, duration: 60_000 },
    quota: { points: 10_000, refill: 7 * 86_400_000 },
  });
  await leave();
});

it('a wrong limit is told beside it, until it is mended, and so is a refusal of the server', async () => {
  const world = await consoleWorld();
  await world.postern.tokens.create({ name: 'ci', types, owner: 'ada', quota: { points: 9, refill: '1500ms' } });
  const { page, leave } = await visit(world.origin, world.admin);
  const dialog = dialogOf(page);
  await page.goto(world.origin);
  await fromMenu(page, 'Update');
  await dialog.getByText('It may make at most 9 calls in 1,500 milliseconds.').waitFor();
  await dialog.getByLabel('Quota: Calls').fill('9.5');
  await dialog.getByRole('button', { name: 'Update' }).click();
  const wrong = dialog.getByText('Give a whole number of calls, from 1 to 1,000,000,000.');
  await wrong.waitFor();
  await expect.poll(() => focusedName(page)).toBe('Quota: Calls');
  await dialog.getByLabel('Quota: Calls').fill('10');
  await wrong.waitFor({ state: 'detached' });
  await dialog.getByLabel('Quota: Length of time').fill('');
  await dialog.getByText('Give a whole number for the time, at least 1.').waitFor();
  await expect.poll(() => dialog.getByLabel('Quota: Calls').getAttribute('aria-invalid')).toBe(null);
  await dialog.getByLabel('Quota: Length of time').fill('999');
  await dialog.getByRole('button', { name: 'Update' }).click();
  await expect.poll(() => focusedName(page)).toBe('Quota: Calls');
  await dialog.locator('.panel .error').getByText('1s').waitFor();
  await dialog.getByLabel('Quota: Unit of time').selectOption('hours');
  await expect.poll(() => dialog.locator('.panel .error').allInnerTexts()).not.toContain(/1s/);
  await dialog.getByRole('button', { name: 'Update' }).click();
  await page.getByText('ci is updated.').waitFor();
  const [record] = (await world.postern.tokens.list({ search: 'ci' })).items;
  expect(record?.quota).toEqual({ points: 10, refill: 999 * 3_600_000 });
  await leave();
});

it('an update without other limits sends none, and a switch turned off takes a limit away', async () => {
  const world = await consoleWorld();
  const limits = { rateLimit: { points: 5, duration: '90s' }, quota: { points: 9, refill: '2w' } } as const;
  const { record } = await world.postern.tokens.create({ name: 'ci', types, owner: 'ada', ...limits });
  const { page, leave } = await visit(world.origin, world.admin);
  const dialog = dialogOf(page);
  const sent: unknown[] = [];
  page.on('request', (request) => {
    if (request.method() === 'PATCH') sent.push(request.postDataJSON());
  });
  await page.goto(world.origin);
  await fromMenu(page, 'Update');
  await dialog.getByLabel('Description').fill('Nightly');
  await dialog.getByRole('button', { name: 'Update' }).click();
  await page.getByText('ci is updated.').waitFor();
  await fromMenu(page, 'Update');
  await dialog.getByRole('switch', { name: 'Rate limit' }).click();
  await dialog.getByRole('button', { name: 'Update' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(sent).toEqual([{ description: 'Nightly' }, { rate_limit: null }]);
  expect(await world.postern.tokens.get(record.id)).toMatchObject({ rateLimit: null, quota: { points: 9 } });
  await leave();
});

it('limits are filled again from the menu, once confirmed, and only of a token that has some', async () => {
  const world = await consoleWorld();
  const { token, record } = await world.postern.tokens.create({
    name: 'ci',
    types,
    owner: 'ada',
    quota: { points: 1, refill: '30d' },
  });
  const calls = () => world.postern.authorize({ token, requirement: { scope: 'models:read' } });
  expect((await calls()).allowed).toBe(true);
  expect(await calls()).toMatchObject({ allowed: false });
  const { page, leave } = await visit(world.origin, world.admin);
  await page.goto(world.origin);
  await page.getByRole('button', { name: 'More for admin' }).click();
  await expect
    .poll(() => page.getByRole('menuitem').filter({ visible: true }).allInnerTexts())
    .toEqual(['Open', 'Update', 'Rotate', 'Revoke', 'Delete']);
  await page.keyboard.press('Escape');
  await fromMenu(page, 'Reset limits');
  await dialogOf(page).getByText('It may make at most 1 call in 30 days.').waitFor();
  expect(await world.postern.tokens.limits(record.id)).toMatchObject([{ remaining: 0 }]);
  await dialogOf(page).getByRole('button', { name: 'Reset limits' }).click();
  await page.getByText('ci has all its calls again.').waitFor();
  expect(await world.postern.tokens.limits(record.id)).toMatchObject([{ remaining: 1 }]);
  await leave();
});

it('a server that counts no calls offers no limits', async () => {
  const world = await consoleWorld({ counts: false });
  const { page, leave } = await visit(world.origin, world.admin);
  await page.goto(world.origin);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await dialogOf(page).getByLabel('Expires').waitFor();
  await expect.poll(() => dialogOf(page).getByRole('group', { name: 'Limits' }).count()).toBe(0);
  await leave();
});
