import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { rowHead, useBrowser } from './browser.js';
import { consoleWorld, reaches, type World } from './world.js';

const visit = useBrowser();

const VERIFIER = 'v'.repeat(43);
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');
const EVERY = { developer: { scopes: ['*'] } };
/** A login of our own command: with a challenge and wanted grants. */
const BOUND = `?code_challenge=${CHALLENGE}&code_challenge_method=S256&types=${encodeURIComponent(JSON.stringify(EVERY))}`;

interface Begun {
  readonly code: string;
  readonly user_code?: string;
}

async function begin({ origin }: World, query = ''): Promise<Begun> {
  return (await (await fetch(`${origin}/api/v1/auth/code${query}`)).json()) as Begun;
}

async function typeCode(page: Page, userCode: string): Promise<void> {
  await page.getByLabel('Code').fill(userCode);
  await page.getByRole('button', { name: 'Continue' }).click();
}

async function collect({ origin }: World, code: string): Promise<{ status: number; token?: string; code?: string }> {
  const response = await fetch(`${origin}/api/v1/auth/token?code=${code}`, {
    headers: { 'x-postern-verifier': VERIFIER },
  });
  return { status: response.status, ...((await response.json()) as object) };
}

/** The lifetime of a token, rounded to hours. */
function hoursOf(record: { readonly createdAt: Date; readonly expiresAt: Date | null } | undefined): number {
  const { createdAt, expiresAt } = record ?? { createdAt: new Date(0), expiresAt: null };
  return Math.round(((expiresAt?.getTime() ?? 0) - createdAt.getTime()) / 3_600_000);
}

async function open(query: string) {
  const world = await consoleWorld();
  const { code, user_code } = await begin(world, query);
  const visited = await visit(world.origin, world.admin);
  await visited.page.goto(`${world.origin}/api_tokens?code=${code}`);
  await visited.page.getByRole('heading', { name: 'Approve a login' }).waitFor();
  if (user_code !== undefined) await typeCode(visited.page, user_code);
  await visited.page.getByText('Asked from').waitFor();
  return { world, code, user_code, ...visited };
}

describe('a login that waits for approval', () => {
  it('shows its terminal, time and wanted grants, and grants nothing before the approval', async () => {
    const { world, code, page, leave } = await open(BOUND);
    await expect
      .poll(() => page.getByRole('definition').allInnerTexts())
      .toEqual(['127.0.0.1', expect.stringMatching(/^(now|\d seconds? ago)$/), 'Works for 90 days', 'every scope']);
    await expect.poll(() => page.getByText('could come from anyone').count()).toBe(0);
    expect(await collect(world, code)).toMatchObject({ status: 401, code: 'authorization_pending' });
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'Approved' }).waitFor();
    const { status, token = '' } = await collect(world, code);
    expect(status).toBe(200);
    const found = await world.postern.authenticate(token);
    expect(found).toMatchObject({ ok: true, principal: { owner: 'ada', types: { developer: { scopes: ['*'] } } } });
    expect((await collect(world, code)).status).toBe(401);
    await page.getByRole('button', { name: 'Go to API Tokens' }).click();
    await rowHead(page, 'Login from 127.0.0.1').waitFor();
    expect(page.url()).toBe(`${world.origin}/api_tokens`);
    await leave();
  });

  it('shows nothing before the right code, and nothing after five wrong codes', async () => {
    const world = await consoleWorld();
    const { code, user_code = '' } = await begin(world, BOUND);
    const { page, leave } = await visit(world.origin, world.admin);
    await page.goto(`${world.origin}/api_tokens?code=${code}`);
    await page.getByLabel('Code').waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Type the code that your terminal shows.').waitFor();
    await expect.poll(() => page.getByText('127.0.0.1').count()).toBe(0);
    await expect.poll(() => page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    for (const left of ['4 more tries', '3 more tries', '2 more tries', '1 more try']) {
      await typeCode(page, 'BCDF-GHJK');
      await page.getByText(left).waitFor();
    }
    await typeCode(page, 'BCDF-GHJK');
    await page.getByRole('heading', { name: 'This login is over' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'This login is over' }).waitFor();
    expect(user_code).not.toBe('BCDF-GHJK');
    expect(await collect(world, code)).toMatchObject({ status: 401, code: 'expired_token' });
    await leave();
  });

  it('accepts the code in lower case without the dash', async () => {
    const world = await consoleWorld();
    const { code, user_code = '' } = await begin(world, BOUND);
    const { page, leave } = await visit(world.origin, world.admin);
    await page.goto(`${world.origin}/api_tokens?code=${code}`);
    await typeCode(page, user_code.replace('-', '').toLowerCase());
    await page.getByText('Asked from').waitFor();
    await leave();
  });

  it('without a code is marked as one from anyone, with nothing chosen', async () => {
    const { world, code, page, leave } = await open('');
    await page.getByRole('heading', { name: 'This login could come from anyone' }).waitFor();
    await page.getByText('Nothing in particular').waitFor();
    await expect.poll(() => page.getByRole('switch', { checked: true }).count()).toBe(0);
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Switch on at least one').waitFor();
    await page.getByRole('switch', { name: 'Developer Operations Access' }).check();
    await page.getByLabel('models read').check();
    await page.getByText(/^Works until .*, in 24 hours$/).waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'Approved' }).waitFor();
    const { token = '' } = await collect(world, code);
    const [record] = (await world.postern.tokens.list()).items;
    expect(await world.postern.authenticate(token)).toMatchObject({ ok: true, principal: { tokenId: record?.id } });
    expect(hoursOf(record)).toBe(24);
    await leave();
  });

  it('is granted less if less is chosen, also with the choice folded again', async () => {
    const { world, code, page, leave } = await open(BOUND);
    const more = page.getByText('Change the grants');
    await more.click();
    await page.getByLabel('Every scope').uncheck();
    await page.getByLabel('models read').check();
    await page.getByLabel('The token works for').selectOption('1d');
    await more.click();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'Approved' }).waitFor();
    await collect(world, code);
    const [record] = (await world.postern.tokens.list()).items;
    expect(record?.types).toEqual({ developer: { scopes: ['models:read'] } });
    expect(hoursOf(record)).toBe(24);
    await leave();
  });

  it('can not be approved while nothing is chosen', async () => {
    const { world, code, page, leave } = await open(BOUND);
    const more = page.getByText('Change the grants');
    await more.click();
    await page.getByRole('switch', { name: 'Developer Operations Access' }).uncheck();
    await more.click();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Switch on at least one').waitFor();
    expect(await collect(world, code)).toMatchObject({ code: 'authorization_pending' });
    await leave();
  });

  it('gets nothing if it is refused', async () => {
    const { world, code, page, leave } = await open(BOUND);
    await page.getByRole('button', { name: 'Refuse' }).click();
    await page.getByRole('heading', { name: 'Refused' }).waitFor();
    expect(await collect(world, code)).toMatchObject({ status: 401, code: 'access_denied' });
    await page.reload();
    await page.getByRole('heading', { name: 'This login is over' }).waitFor();
    await leave();
  });

  it('says that it was answered in another window', async () => {
    const { page, context, user_code, leave } = await open(BOUND);
    const other = await context.newPage();
    await other.goto(page.url());
    await typeCode(other, user_code as string);
    await other.getByRole('button', { name: 'Refuse' }).click();
    await other.getByRole('heading', { name: 'Refused' }).waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('alert').getByText('This login was answered already').waitFor();
    await leave();
  });

  it('that does not exist is shown as over', async () => {
    const world = await consoleWorld();
    const { page, leave } = await visit(world.origin, world.admin);
    await page.goto(`${world.origin}/api_tokens?code=${'x'.repeat(22)}`);
    await page.getByRole('heading', { name: 'This login is over' }).waitFor();
    await expect.poll(() => page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    await leave();
  });

  it('waits for the sign-in of its approver, and is approved after it', async () => {
    const world = await consoleWorld();
    await world.postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    const { code, user_code = '' } = await begin(world, BOUND);
    const { page, leave } = await visit(world.origin, null);
    await page.goto(`${world.origin}/api_tokens?code=${code}`);
    await page.getByLabel('Developer token').fill(world.admin);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await typeCode(page, user_code);
    await page.getByText('Change the grants').click();
    await page.getByRole('switch', { name: 'Protected Endpoint Access' }).check();
    await page.getByLabel('summarizer').check();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'Approved' }).waitFor();
    const { token = '' } = await collect(world, code);
    expect(await reaches(world, token, 'summarizer')).toBe('allowed');
    await leave();
  });
});
