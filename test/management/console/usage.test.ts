import { createPostern, memoryRateLimiter, memoryStore } from 'postern';
import { managementApi } from 'postern/management';
import { expect, it } from 'vitest';
import { listening } from '../world.js';
import { dialogOf, useBrowser } from './browser.js';

const visit = useBrowser();

it('uses by day are a chart with the same numbers in a table, and limits show what is left of them', async () => {
  const postern = createPostern({ store: memoryStore(), rateLimiter: memoryRateLimiter() });
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  const every = { developer: { scopes: ['*'] } } as const;
  const { token: admin } = await postern.tokens.create({ name: 'admin', types: every, owner: 'ada' });
  const { token, record } = await postern.tokens.create({
    name: 'trial',
    types: { user: { endpoints: ['summarizer'] } },
    owner: 'ada',
    quota: { points: 10, refill: '30d' },
  });
  for (let use = 0; use < 3; use++) await postern.authorize({ token, requirement: { endpoint: 'summarizer' } });
  await postern.flush();
  const origin = await listening(managementApi(postern, { session: true }));
  const { page, leave } = await visit(origin, admin);

  await page.goto(`${origin}/api_tokens/${record.id}`);
  await page.getByRole('img', { name: /^Uses by day\. 3 uses in 30 days\./ }).waitFor();
  await page.getByText('Show as a table').click();
  await expect.poll(() => page.getByRole('table', { name: 'Uses by day' }).getByRole('row').count()).toBe(31);
  await page.getByRole('row', { name: /^\d+ \w+ \d{4} 3$/ }).waitFor();
  await page.getByText('Quota: 10 calls, again after 30 days').waitFor();
  await page.getByText('7 left, full again in 30 days').waitFor();
  await page.getByText('This token can call summarizer. It may make at most 10 calls in 30 days.').waitFor();
  await page.getByRole('button', { name: 'Reset limits' }).click();
  await dialogOf(page).getByText('trial gets all its calls back now.').waitFor();
  await dialogOf(page).getByRole('button', { name: 'Reset limits' }).click();
  await page.getByText('10 left').waitFor();
  expect(await postern.tokens.limits(record.id)).toMatchObject([{ policy: 'quota', remaining: 10 }]);

  await page.getByRole('link', { name: 'Usage' }).click();
  await page.getByRole('row', { name: 'summarizer 3' }).waitFor();
  await leave();
  await postern.close();
});
