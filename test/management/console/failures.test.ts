import { describe, expect, it } from 'vitest';
import { dialogOf, focusedName, useBrowser } from './browser.js';
import { consoleWorld } from './world.js';

const visit = useBrowser();

/** The dialog Create, filled in and not yet sent. */
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

describe('what goes wrong is said where it happened, and nothing that was typed is lost', () => {
  it('the server is gone', async () => {
    const { world, dialog, names, leave } = await filledIn();
    world.intercept(refusing('POST', TOKENS, 'drop'));
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('alert').getByText('The server could not be reached, or did not answer.').waitFor();
    expect(await dialog.getByLabel('Name').inputValue()).toBe('nightly');
    expect(await dialog.getByLabel('models read').isChecked()).toBe(true);
    world.intercept(null);
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('heading', { name: 'Token created' }).waitFor();
    expect(await names()).toEqual(['nightly', 'admin']);
    await leave();
  });

  it('the store is gone: the API says so, and the page repeats it', async () => {
    const { world, dialog, leave } = await filledIn();
    const detail = 'The store of the tokens can not be reached.';
    world.intercept(refusing('POST', TOKENS, { status: 503, body: { status: 503, code: 'unavailable', detail } }));
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('alert').getByText(detail).waitFor();
    await leave();
  });

  it('a refusal that names a field is shown at it, and the field has the focus', async () => {
    const { world, page, dialog, leave } = await filledIn();
    const body = { status: 400, code: 'input_invalid', path: 'description', detail: 'This description is too long.' };
    world.intercept(refusing('POST', TOKENS, { status: 400, body }));
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText('This description is too long.').waitFor();
    const field = dialog.getByLabel('Description');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await focusedName(page)).toBe('Description optional');
    const described = (await field.getAttribute('aria-describedby')) ?? '';
    expect(await page.locator(`#${described}`).textContent()).toBe('This description is too long.');
    await leave();
  });

  it('the session is over in the middle of a form: signing in again keeps the form', async () => {
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
    expect(await dialog.getByLabel('Name').inputValue()).toBe('nightly');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('heading', { name: 'Token created' }).waitFor();
    expect(await names()).toEqual(['nightly', 'admin']);
    await leave();
  });

  it('a second click while it waits sends nothing twice', async () => {
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

  it('Escape on a form that was filled in asks first', async () => {
    const { page, dialog, leave } = await filledIn();
    for (let time = 0; time < 3; time++) await page.keyboard.press('Escape');
    await dialog.getByText('Discard your input?').waitFor();
    expect(await focusedName(page)).toBe('Keep editing');
    await page.keyboard.press('Enter');
    expect(await dialog.getByLabel('Name').inputValue()).toBe('nightly');
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Discard' }).click();
    expect(await page.locator('dialog').count()).toBe(0);
    expect(await focusedName(page)).toBe('Create');
    // One that was not touched closes at once.
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    expect(await page.locator('dialog').count()).toBe(0);
    await leave();
  });

  it('going back in the browser leaves a form that was filled in where it is', async () => {
    const { world, page, dialog, leave } = await filledIn();
    await page.keyboard.press('Escape');
    await dialog.getByRole('button', { name: 'Discard' }).click();
    await page.getByRole('link', { name: 'Endpoints' }).click();
    await page.getByText('No endpoints').waitFor();
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog.getByLabel('Name').fill('summarizer');
    await page.evaluate(() => history.back());
    await dialog.getByText('Discard your input?').waitFor();
    await page.waitForURL(`${world.origin}/endpoints`);
    expect(await dialog.getByLabel('Name').inputValue()).toBe('summarizer');
    await dialog.getByRole('button', { name: 'Discard' }).click();
    await page.evaluate(() => history.back());
    await page.getByRole('rowheader', { name: 'admin' }).waitFor();
    await page.evaluate(() => history.forward());
    await page.getByText('No endpoints').waitFor();
    await leave();
  });

  it('the browser asks before a form that was filled in goes with its page', async () => {
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
    expect(await dialog.count()).toBe(0);
    await leave();
  });

  it('a secret that was not copied does not go away on the first wish', async () => {
    const { page, dialog, leave } = await filledIn();
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByRole('heading', { name: 'Token created' }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.getByRole('alert').getByText('You have not copied the token here.').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.locator('dialog').count()).toBe(0);
    await leave();
  });

  it('a browser that does not let the page copy: the text is selected', async () => {
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
    expect(await page.evaluate(selected)).toBe(token);
    await leave();
  });
});

describe('lists that can not be read', () => {
  it('say why, and are read again on a wish', async () => {
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

  it('lead to the sign-in where the session is over, and back to the same page', async () => {
    const world = await consoleWorld();
    const { page, context, leave } = await visit(world.origin, world.admin);
    await page.goto(`${world.origin}/audit`);
    await page.getByText('Created token admin').waitFor();
    await context.clearCookies();
    await page.getByRole('link', { name: 'API Tokens' }).click();
    await page.getByLabel('Developer token').fill(world.admin);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('rowheader', { name: 'admin' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/api_tokens');
    await leave();
  });

  it('of a server that answers something else are no white page', async () => {
    const world = await consoleWorld();
    const { page, leave } = await visit(world.origin, world.admin);
    await page.route('**/api/v1/session', (route) => route.fulfill({ status: 502, body: '<html>Bad Gateway</html>' }));
    await page.goto(world.origin);
    await page.getByRole('alert').getByText('The server answered 502').waitFor();
    await page.unroute('**/api/v1/session');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('rowheader', { name: 'admin' }).waitFor();
    await leave();
  });
});
