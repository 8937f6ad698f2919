import { expect, it, onTestFinished } from 'vitest';
import { startFirefox } from '../../support/firefox.js';
import { consoleWorld, reaches } from './world.js';

it('a person signs in, makes a token, sees it and revokes it in Firefox', async () => {
  const world = await consoleWorld();
  await world.postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  const { page, close } = await startFirefox();
  onTestFinished(close);

  await page.go(world.origin);
  await page.click(null, 'Developer token');
  await page.type(world.admin);
  await page.click('button', 'Sign in');

  await page.click('button', 'Create');
  await page.until(`document.activeElement?.labels?.[0]?.textContent === 'Name'`);
  await page.type('nightly');
  await page.click('switch', 'Protected Endpoint Access');
  await page.click('checkbox', 'summarizer');
  await page.until(
    `document.querySelector('dialog .sentence').textContent.startsWith('This token can call summarizer.')`,
  );
  await page.clickOn('dialog [type=submit]');
  const token = await page.until<string>(`document.querySelector('dialog input[aria-label="Token"]')?.value`);
  expect(await reaches(world, token, 'summarizer')).toBe('allowed');
  // Not copied: the first attempt to close it warns.
  await page.click('button', 'Done');
  await page.until(`document.querySelector('dialog .problem').textContent.includes('You have not copied')`);
  await page.click('button', 'Done');

  await page.click('link', 'nightly');
  await page.until(`document.querySelector('main h1')?.textContent.startsWith('nightly')`);
  await page.click('button', 'More for nightly');
  await page.click('menuitem', 'Revoke');
  await page.until(`document.querySelector('dialog h2')?.textContent === 'Revoke token'`);
  await page.clickOn('dialog [type=submit]');
  await page.until(`document.querySelector('main h1 .badge')?.textContent === 'Revoked'`);
  expect(await reaches(world, token, 'summarizer')).toBe('token_revoked');
});
