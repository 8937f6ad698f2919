import { expect, it } from 'vitest';
import { useBrowser } from './browser.js';
import { consoleWorld } from './world.js';

const visit = useBrowser();

async function signedIn() {
  const world = await consoleWorld();
  const visited = await visit(world.origin, null);
  await visited.page.goto(world.origin);
  await visited.page.getByLabel('Developer token').fill(world.admin);
  await visited.page.getByRole('button', { name: 'Sign in' }).click();
  await visited.page.getByRole('heading', { name: 'API Tokens' }).waitFor();
  return { world, ...visited };
}

it('the browser keeps no part of the token after a sign-in', async () => {
  const { world, page, context, leave } = await signedIn();
  const cookies = await context.cookies();
  expect(cookies).toMatchObject([{ name: 'postern_session', httpOnly: true, sameSite: 'Strict', expires: -1 }]);
  expect(cookies[0]?.value).toMatch(/^[A-Za-z0-9_-]{43}$/);
  const kept = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, document.documentElement.outerHTML]),
  );
  expect(JSON.stringify(cookies) + kept).not.toContain(world.admin);
  expect(kept).not.toContain(cookies[0]?.value);
  await leave();
});

it('a second tab is signed in too, and signed out with the first', async () => {
  const { page, context, leave } = await signedIn();
  const cookies = await context.cookies();
  const second = await context.newPage();
  await second.goto(page.url());
  await second.getByRole('heading', { name: 'API Tokens' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in to postern' }).waitFor();
  expect(await context.cookies()).toEqual([]);
  await second.reload();
  await second.getByRole('heading', { name: 'Sign in to postern' }).waitFor();
  // A kept cookie is useless too.
  await context.addCookies(cookies);
  await second.reload();
  await second.getByRole('heading', { name: 'Sign in to postern' }).waitFor();
  await leave();
});

it('a session ends with its token', async () => {
  const { world, page, context, leave } = await signedIn();
  const [record] = (await world.postern.tokens.list()).items;
  await world.postern.tokens.revoke(record?.id as string);
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in to postern' }).waitFor();
  expect(await context.cookies()).toEqual([]);
  await leave();
});

it('rotating the token of the session signs its holder out', async () => {
  const { world, page, leave } = await signedIn();
  const [record] = (await world.postern.tokens.list()).items;
  await world.postern.tokens.rotate(record?.id as string);
  await page.reload();
  await page.getByLabel('Developer token').fill(world.admin);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('revoked').waitFor();
  await leave();
});
