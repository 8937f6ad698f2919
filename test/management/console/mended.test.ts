import { describe, expect, it } from 'vitest';
import { dialogOf, focusedName, fromMenu, namesIn, rowHead, useBrowser } from './browser.js';
import { consoleWorld, reaches } from './world.js';

/* Each failed once when people tried the console. */

const visit = useBrowser();

describe('who may not list endpoints', () => {
  const types = { user: { endpoints: '*' }, developer: { scopes: ['models:read'] } } as const;

  it('is not told that there are none, and may grant one by its name', async () => {
    const world = await consoleWorld({ identify: () => ({ owner: 'bob', types }) });
    await world.postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    const { page, leave } = await visit(world.origin, null);
    const dialog = dialogOf(page);
    await page.goto(world.origin);
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog.getByLabel('Name', { exact: true }).fill('caller');
    await dialog.getByRole('switch', { name: 'Protected Endpoint Access' }).check();
    await dialog.getByText('You may not list endpoints').waitFor();
    await expect.poll(() => dialog.getByText('No endpoint').count()).toBe(0);
    await expect.poll(() => dialog.getByLabel('All Deployments').isChecked()).toBe(false);
    await dialog.getByLabel('Name of an endpoint').fill('summarizer');
    // Enter adds it, and does not send the form.
    await dialog.getByLabel('Name of an endpoint').press('Enter');
    await dialog.getByText('This token can call summarizer.').waitFor();
    await dialog.getByRole('button', { name: 'Create' }).click();
    const token = await dialog.getByLabel('Token', { exact: true }).inputValue();
    expect(await reaches(world, token, 'summarizer')).toBe('allowed');
    await leave();
  });

  it('hears from an empty list why it is empty', async () => {
    const world = await consoleWorld({ identify: () => ({ owner: 'bob', types }) });
    const { page, leave } = await visit(world.origin, null);
    await page.goto(world.origin);
    await page.getByText('Create one for a program that acts for you.').waitFor();
    await page.getByRole('tab', { name: 'Organization tokens' }).click();
    await page.getByText('Nobody has made one. You may look at tokens, and not make any.').waitFor();
    await page.getByLabel('Status').selectOption({ label: 'Idle' });
    await page.getByRole('heading', { name: 'No token matches' }).waitFor();
    await page.getByRole('button', { name: 'Clear the filters' }).click();
    await page.getByRole('heading', { name: 'No organization tokens yet' }).waitFor();
    await leave();
  });
});

it('each error of a form goes as soon as its field is mended, and comes back with the mistake', async () => {
  const world = await consoleWorld();
  const { page, leave } = await visit(world.origin, world.admin);
  const dialog = dialogOf(page);
  await page.goto(world.origin);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await dialog.getByRole('button', { name: 'Create' }).click();
  const missing = dialog.getByText('Give the token a name.');
  await missing.waitFor();
  await dialog.getByText('Switch on at least one').waitFor();
  await expect.poll(() => focusedName(page)).toBe('Name');
  await dialog.getByLabel('Name', { exact: true }).fill('c');
  await missing.waitFor({ state: 'detached' });
  await expect.poll(() => dialog.getByLabel('Name', { exact: true }).getAttribute('aria-invalid')).toBe(null);
  await dialog.getByLabel('Name', { exact: true }).fill('');
  await missing.waitFor();
  await dialog.getByRole('switch', { name: 'Developer Operations Access' }).check();
  await dialog.getByText('Switch on at least one').waitFor({ state: 'detached' });
  await dialog.getByText('Choose at least one scope').waitFor();
  await dialog.getByLabel('models read').check();
  await dialog.getByText('Choose at least one scope').waitFor({ state: 'detached' });
  // The server's own refusal goes too, once its field changes.
  await dialog.getByLabel('Name', { exact: true }).fill('n');
  world.intercept((method) =>
    method === 'POST'
      ? { status: 400, body: { status: 400, code: 'input_invalid', path: 'name', detail: 'Too short.' } }
      : null,
  );
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByText('Too short.').waitFor();
  await dialog.getByLabel('Name', { exact: true }).fill('nightly');
  await dialog.getByText('Too short.').waitFor({ state: 'detached' });
  await leave();
});

it('the end of a token reads as a sentence: "Expires: in 30 days", and is the one that was sent', async () => {
  const world = await consoleWorld();
  const { page, leave } = await visit(world.origin, world.admin);
  const dialog = dialogOf(page);
  await page.goto(world.origin);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  const options = dialog.getByLabel('Expires').getByRole('option');
  await expect
    .poll(() => options.allInnerTexts())
    .toEqual(['In 7 days', 'In 30 days', 'In 90 days', 'In a year', 'On a date', 'Never']);
  await expect.poll(() => page.getByText('Expired At').count()).toBe(0);
  await dialog.getByLabel('Name', { exact: true }).fill('ci');
  await dialog.getByRole('switch', { name: 'Developer Operations Access' }).check();
  await dialog.getByLabel('models read').check();
  await dialog.getByLabel('Expires').selectOption('On a date');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByText('Choose the last day on which the token works.').waitFor();
  await dialog.getByLabel('Last day').fill('2030-01-31');
  await dialog.getByText('Choose the last day on which the token works.').waitFor({ state: 'detached' });
  await dialog.getByText('Ends on Thursday, 31 January 2030 at 23:59').waitFor();
  await dialog.getByText('This token can use models:read.').waitFor();
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByRole('heading', { name: 'Token created' }).waitFor();
  const [record] = (await world.postern.tokens.list({ search: 'ci' })).items;
  expect(record?.expiresAt?.toISOString()).toBe('2030-01-31T23:59:59.999Z');
  await leave();
});

it('a choice among many endpoints grows with its form: nothing in the dialog scrolls by itself', async () => {
  const world = await consoleWorld();
  for (let number = 10; number < 40; number++) {
    await world.postern.endpoints.create({ id: `model-${number}`, access: 'protected' });
  }
  const { page, leave } = await visit(world.origin, world.admin, { height: 600 });
  const dialog = dialogOf(page);
  await page.goto(world.origin);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await dialog.getByRole('switch', { name: 'Protected Endpoint Access' }).check();
  await dialog.getByLabel('model-10').waitFor();
  await expect.poll(() => dialog.getByRole('checkbox', { name: /^model-/ }).count()).toBe(10);
  const scrolling = () =>
    [...document.querySelectorAll('dialog[open] *')].filter(
      (element) =>
        /auto|scroll/.test(getComputedStyle(element).overflowY) && element.scrollHeight > element.clientHeight,
    ).length;
  await expect.poll(() => page.evaluate(scrolling)).toBe(0);
  await dialog.getByRole('button', { name: 'Show 20 more' }).click();
  await dialog.getByLabel('model-39').check();
  await expect.poll(() => page.evaluate(scrolling)).toBe(0);
  // The first row is whole, and the chosen ones stand above the list.
  await dialog.getByRole('button', { name: 'Take away model-39' }).click();
  await expect.poll(() => dialog.getByLabel('model-39').isChecked()).toBe(false);
  await leave();
});

it('what ends a token is behind the menu, revoking before deleting, both in the color of danger', async () => {
  const world = await consoleWorld();
  const { page, leave } = await visit(world.origin, world.admin);
  await page.goto(world.origin);
  const row = page.getByRole('row', { name: /admin/ });
  const more = page.getByRole('button', { name: 'More for admin' });
  await more.waitFor();
  await expect.poll(() => row.getByRole('button').allInnerTexts()).toEqual(['']);
  await more.click();
  const items = page.getByRole('menuitem');
  await items.first().waitFor();
  await expect.poll(() => items.allInnerTexts()).toEqual(['Open', 'Update', 'Rotate', 'Revoke', 'Delete']);
  const colors = await items.evaluateAll((found) => found.map((item) => getComputedStyle(item).color));
  const [open, update, rotate, revoke, remove] = colors;
  expect([update, rotate]).toEqual([open, open]);
  expect(revoke).toBe('rgb(179, 38, 30)');
  expect(remove).toBe(revoke);
  await leave();
});

it('no line to copy holds the token', async () => {
  const world = await consoleWorld();
  const { page, leave } = await visit(world.origin, world.admin);
  const dialog = dialogOf(page);
  await page.goto(world.origin);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await dialog.getByLabel('Name', { exact: true }).fill('ci');
  await dialog.getByRole('switch', { name: 'Developer Operations Access' }).check();
  await dialog.getByLabel('models read').check();
  await dialog.getByRole('switch', { name: 'Protected Endpoint Access' }).check();
  await dialog.getByLabel('All Deployments').check();
  await dialog.getByRole('button', { name: 'Create' }).click();
  const token = await dialog.getByLabel('Token', { exact: true }).inputValue();
  const lines = [await dialog.getByLabel('Log in from a terminal').inputValue()];
  for (const name of ['curl', 'TypeScript', 'Python', 'gRPC']) {
    await dialog.getByRole('tab', { name }).click();
    await dialog.getByRole('button', { name: `Copy ${name}` }).click();
    lines.push(await page.evaluate(() => navigator.clipboard.readText()));
  }
  expect(new Set(lines).size).toBe(5);
  for (const line of lines) {
    expect(line).not.toContain(token);
    expect(line).toMatch(/TOKEN|--api-token --endpoint/);
  }
  // To copy a line is not to have copied the token.
  await dialog.getByRole('button', { name: 'Done' }).click();
  await dialog.getByText('You have not copied the token here.').waitFor();
  await leave();
});

describe('the token that one is signed in with', () => {
  it('is not ended without a warning, and its end signs out', async () => {
    const world = await consoleWorld();
    const types = { developer: { scopes: ['models:read'] } } as const;
    await world.postern.tokens.create({ name: 'other', types, owner: 'ada' });
    const { page, leave } = await visit(world.origin, world.admin);
    const dialog = dialogOf(page);
    await page.goto(world.origin);
    for (const action of ['Revoke', 'Delete']) {
      await fromMenu(page, action, 'admin');
      await dialog.getByText('You are signed in with this token. You will be signed out at once.').waitFor();
      await page.keyboard.press('Escape');
      await fromMenu(page, action, 'other');
      await dialog.getByRole('heading', { name: `${action} token` }).waitFor();
      await expect.poll(() => dialog.getByText('You are signed in').count()).toBe(0);
      await page.keyboard.press('Escape');
    }
    await fromMenu(page, 'Rotate', 'admin');
    await dialog.getByText('Its new secret signs you out').waitFor();
    await page.keyboard.press('Escape');
    await fromMenu(page, 'Delete', 'admin');
    await dialog.getByLabel('Type the name to confirm').fill('admin');
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Sign in to postern' }).waitFor();
    await leave();
  });

  it('is the last of several that are revoked together', async () => {
    const world = await consoleWorld();
    const types = { developer: { scopes: ['models:read'] } } as const;
    for (const name of ['one', 'two', 'kept']) await world.postern.tokens.create({ name, types, owner: 'ada' });
    const { page, leave } = await visit(world.origin, world.admin);
    const dialog = dialogOf(page);
    await page.goto(world.origin);
    for (const name of ['one', 'two', 'admin']) await page.getByLabel(`Select ${name}`, { exact: true }).check();
    await page.getByText('3 tokens selected').waitFor();
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await dialog.getByText('You are signed in with admin. You will be signed out at once.').waitFor();
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('heading', { name: 'Sign in to postern' }).waitFor();
    const { items } = await world.postern.tokens.list();
    expect(items.filter(({ revokedAt }) => revokedAt === null).map(({ name }) => name)).toEqual(['kept']);
    await leave();
  });
});

describe('an address that has no page', () => {
  it('shows one that says so, with the way back, to people; to programs the problem as JSON', async () => {
    const world = await consoleWorld({ basePath: '/admin' });
    const { page, leave } = await visit(world.origin, world.admin, { basePath: '/admin' });
    const answer = await page.goto(`${world.origin}/admin/no/such/page`);
    expect(answer?.status()).toBe(404);
    await page.getByRole('heading', { name: 'There is no page here' }).waitFor();
    await page.getByRole('link', { name: 'Go to API Tokens' }).click();
    await rowHead(page, 'admin').waitFor();
    const program = await fetch(`${world.origin}/admin/no/such/page`, { headers: { accept: 'application/json' } });
    expect(program.status).toBe(404);
    expect(program.headers.get('content-type')).toBe('application/problem+json');
    const call = await fetch(`${world.origin}/admin/api/v1/nothing`, { headers: { accept: 'text/html' } });
    expect(call.headers.get('content-type')).toBe('application/problem+json');
    await leave();
  });

  it('of a token that is gone says so', async () => {
    const world = await consoleWorld();
    const { page, leave } = await visit(world.origin, world.admin);
    await page.goto(`${world.origin}/api_tokens/0000000000000000000000`);
    await page.getByRole('heading', { name: 'This token is not here' }).waitFor();
    await page.getByRole('link', { name: 'All tokens' }).click();
    await rowHead(page, 'admin').waitFor();
    expect(await namesIn(page)).toEqual(['admin']);
    await leave();
  });
});
