import { describe, expect, it } from 'vitest';
import { dialogOf, focusedName, rowHead, useBrowser } from './browser.js';
import { consoleWorld } from './world.js';

const visit = useBrowser();

/** The dialog Create, filled in and not sent. */
async function filledIn(options: Parameters<typeof consoleWorld>[0] = {}) {
  const world = await consoleWorld(options);
  const visited = await visit(world.origin, world.admin);
  const { page } = visited;
  const dialog = dialogOf(page);
  await page.goto(world.origin);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await dialog.getByLabel('Name').fill('nightly');
  await dialog.getByRole('switch', { name: 'Developer Operations Access' }).check();
  await dialog.getByLabel('models read').check();
  const names = async () => (await world.postern.tokens.list()).items.map(({ name }) => name);
  return { world, dialog, names, ...visited };
}

const refusing = (method: string, path: string, answer: 'drop' | { status: number; body: unknown }) => {
  return (asked: string, at: string) => (asked === method && at === path ? answer : null);
};

const TOKENS = '/api/v1/api_tokens';

describe('a failure in the console is shown in its place, and typed text is kept:', () => {
  it('a server that is gone', async () => {
    const { world, dialog, names, leave } = await filledIn();
    world.intercept(refusing('POST', TOKENS, 'drop'));
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('alert').getByText('The server could not be reached, or did not answer.').waitFor();
    await expect.poll(() => dialog.getByLabel('Name').inputValue()).toBe('nightly');
    await expect.poll(() => dialog.getByLabel('models read').isChecked()).toBe(true);
    world.intercept(null);
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('heading', { name: 'Token created' }).waitFor();
    expect(await names()).toEqual(['nightly', 'admin']);
    await leave();
  });

  it("a store that is down, in the API's words", async () => {
    const { world, dialog, leave } = await filledIn();
    const detail = 'The store of the tokens can not be reached.';
    world.intercept(refusing('POST', TOKENS, { status: 503, body: { status: 503, code: 'unavailable', detail } }));
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('alert').getByText(detail).waitFor();
    await leave();
  });

  it('a refusal that names a field, which gets the focus', async () => {
    const { world, page, dialog, leave } = await filledIn();
    const body = { status: 400, code: 'input_invalid', path: 'description', detail: 'This description is too long.' };
    world.intercept(refusing('POST', TOKENS, { status: 400, body }));
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText('This description is too long.').waitFor();
    const field = dialog.getByLabel('Description');
    await expect.poll(() => field.getAttribute('aria-invalid')).toBe('true');
    await expect.poll(() => focusedName(page)).toBe('Description optional');
    const described = (await field.getAttribute('aria-describedby')) ?? '';
    await expect.poll(() => page.locator(`#${described}`).textContent()).toBe('This description is too long.');
    await leave();
  });

  it('a session that ends during a form, which survives the new sign-in', async () => {
    const { world, page, dialog, names, context, leave } = await filledIn();
    await context.clearCookies();
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText('Your session is over. Your input is still here.').waitFor();
    await dialog.getByRole('button', { name: 'Sign in again' }).click();
    await page.getByRole('heading', { name: 'Sign in again' }).waitFor();
    await dialog.getByLabel('Developer token').fill(`${world.admin}x`);
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await dialog.getByText('The token is not valid.').waitFor();
    await dialog.getByLabel('Developer token').fill(world.admin);
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Sign in again' }).waitFor({ state: 'detached' });
    await expect.poll(() => dialog.getByLabel('Name').inputValue()).toBe('nightly');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('heading', { name: 'Token created' }).waitFor();
    expect(await names()).toEqual(['nightly', 'admin']);
    await leave();
  });

  it('a second click while waiting, which sends nothing', async () => {
    const { page, dialog, names, leave } = await filledIn();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route(`**${TOKENS}`, async (route) => {
      if (route.request().method() === 'POST') await held;
      await route.continue();
    });
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('button', { name: 'Creating…' }).click();
    await page.keyboard.press('Escape');
    release();
    await dialog.getByRole('heading', { name: 'Token created' }).waitFor();
    expect(await names()).toEqual(['nightly', 'admin']);
    await leave();
  });

  it('Escape on a filled-in form, which asks first', async () => {
    const { page, dialog, leave } = await filledIn();
    for (let time = 0; time < 3; time++) await page.keyboard.press('Escape');
    await dialog.getByText('Discard your input?').waitFor();
    await expect.poll(() => focusedName(page)).toBe('Keep editing');
    await page.keyboard.press('Enter');
    await expect.poll(() => dialog.getByLabel('Name').inputValue()).toBe('nightly');
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Discard' }).click();
    await expect.poll(() => page.locator('dialog').count()).toBe(0);
    await expect.poll(() => focusedName(page)).toBe('Create');
    // An untouched form closes at once.
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('dialog').count()).toBe(0);
    await leave();
  });

  it('the back button on a filled-in form, which stays', async () => {
    const { world, page, dialog, leave } = await filledIn();
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Discard' }).click();
    await page.getByRole('link', { name: 'Endpoints' }).click();
    await page.getByText('No endpoints yet').waitFor();
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog.getByLabel('Name').fill('summarizer');
    await page.evaluate(() => history.back());
    await dialog.getByText('Discard your input?').waitFor();
    await page.waitForURL(`${world.origin}/endpoints`);
    await expect.poll(() => dialog.getByLabel('Name').inputValue()).toBe('summarizer');
    await dialog.getByRole('button', { name: 'Discard' }).click();
    await page.evaluate(() => history.back());
    await rowHead(page, 'admin').waitFor();
    await page.evaluate(() => history.forward());
    await page.getByText('No endpoints yet').waitFor();
    await leave();
  });

  it('leaving the page with a filled-in form, which asks first', async () => {
    const { page, dialog, context, leave } = await filledIn();
    const other = await context.newPage();
    await other.goto(page.url());
    await other.getByRole('button', { name: 'Create', exact: true }).click();
    const asked: string[] = [];
    for (const each of [page, other]) each.on('dialog', (opened) => void asked.push(opened.type()));
    await other.reload();
    expect(asked).toEqual([]);
    await page.reload();
    expect(asked).toEqual(['beforeunload']);
    await expect.poll(() => dialog.count()).toBe(0);
    await leave();
  });

  it('closing the dialog of a secret that was not copied, which asks first', async () => {
    const { page, dialog, leave } = await filledIn();
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('heading', { name: 'Token created' }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.getByRole('alert').getByText('You have not copied the token here.').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('dialog').count()).toBe(0);
    await leave();
  });

  it('copying in a browser that forbids it, which selects the text', async () => {
    const { page, context, dialog, leave } = await filledIn();
    await context.clearPermissions();
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('button', { name: 'Copy token' }).click();
    await dialog.getByText('The browser did not let this page copy.').waitFor();
    const token = await dialog.getByLabel('Token', { exact: true }).inputValue();
    const selected = () => {
      const input = document.activeElement as HTMLInputElement;
      return input.value.slice(input.selectionStart ?? 0, input.selectionEnd ?? 0);
    };
    await expect.poll(() => page.evaluate(selected)).toBe(token);
    await leave();
  });
});

describe('a list that can not be read', () => {
  it('says why, and can be read again', async () => {
    const world = await consoleWorld();
    const { page, leave } = await visit(world.origin, world.admin);
    for (const [path, api, heading] of [
      ['/api_tokens', TOKENS, 'admin'],
      ['/endpoints', '/api/v1/endpoints', 'No endpoints'],
      ['/audit', '/api/v1/audit', 'Created token admin'],
    ] as const) {
      world.intercept(refusing('GET', api, 'drop'));
      await page.goto(world.origin + path);
      await page.getByRole('alert').getByText('The server could not be reached.').waitFor();
      world.intercept(null);
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByText(heading).first().waitFor();
    }
    await leave();
  });

  it('leads to the sign-in if the session is over, and back to the same page', async () => {
    const world = await consoleWorld();
    const { page, context, leave } = await visit(world.origin, world.admin);
    await page.goto(`${world.origin}/audit`);
    await page.getByText('Created token admin').waitFor();
    await context.clearCookies();
    await page.getByRole('link', { name: 'API Tokens' }).click();
    await page.getByLabel('Developer token').fill(world.admin);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await rowHead(page, 'admin').waitFor();
    expect(new URL(page.url()).pathname).toBe('/api_tokens');
    await leave();
  });

  it('of a server with an unexpected answer still shows a page', async () => {
    const world = await consoleWorld();
    const { page, leave } = await visit(world.origin, world.admin);
    await page.route('**/api/v1/session', (route) => route.fulfill({ status: 502, body: '<html>Bad Gateway</html>' }));
    await page.goto(world.origin);
    await page.getByRole('alert').getByText('The server answered 502').waitFor();
    await page.unroute('**/api/v1/session');
    await page.getByRole('button', { name: 'Try again' }).click();
    await rowHead(page, 'admin').waitFor();
    await leave();
  });
});
