import type { Page } from 'playwright-core';
import { dialogOf, fromMenu, rowHead } from './browser.js';
import { consoleWorld, type World } from './world.js';

export interface Scene {
  readonly name: string;
  /** Whether someone is signed in. Default `true`. */
  readonly signedIn?: boolean;
  /** Brings the page from the world's origin to the scene. */
  readonly open: (page: Page, world: World) => Promise<void>;
}

const DAY = 86_400_000;

/** A world with entries in every list: tokens of every state, made over the last months. */
export async function furnishedWorld(): Promise<World> {
  const world = await consoleWorld({ behind: 120 * DAY });
  const { tokens, endpoints } = world.postern;
  const owner = 'ada';
  const inDays = (days: number) => ({ expiresAt: new Date(Date.now() + days * DAY) });
  const user = { endpoints: ['summarizer'] };

  for (const [id, access] of [
    ['summarizer', 'protected'],
    ['translator', 'protected'],
    ['status-page', 'public'],
    ['retraining', 'private'],
  ] as const) {
    await endpoints.create({ id, access });
  }
  await tokens.create({ name: 'winter sale', types: { user }, owner, ...inDays(-20) });
  await tokens.create({ name: 'notebook', types: { developer: { scopes: ['models:read'] } }, owner, ...inDays(60) });
  await tokens.create({ name: 'demo on Friday', types: { user: { endpoints: '*' } }, owner, ...inDays(3) });

  world.setBehind(9 * DAY);
  const { record: old } = await tokens.create({ name: 'spring campaign', types: { user }, owner, ...inDays(20) });
  await tokens.revoke(old.id);
  await tokens.create({ name: 'support inbox', types: { user }, owner, description: 'Drafts answers to customers' });
  const { token, record } = await tokens.create({
    name: 'ci',
    description: 'Nightly build of the summarizer, and its evaluation against last week’s',
    types: { user, developer: { scopes: ['models:write', 'bentos:write'] } },
    owner,
    rateLimit: { points: 60, duration: '1m' },
    quota: { points: 10_000, refill: '30d' },
    ...inDays(90),
  });

  for (const [day, uses] of [4, 7, 6, 2, 1, 8, 11, 9, 3].entries()) {
    world.setBehind((8 - day) * DAY);
    for (let use = 0; use < uses; use++) {
      await world.postern.authorize({ token, requirement: { endpoint: 'summarizer' } });
    }
    await world.postern.flush();
  }
  await tokens.update(record.id, { description: 'Nightly build of the summarizer, and its evaluation' });
  await tokens.create({
    name: 'gateway',
    types: { user: { endpoints: '*' } },
    owner,
    ownership: 'organization',
    ...inDays(30),
  });
  return world;
}

const at =
  (path: string, ready: (page: Page) => Promise<unknown>) =>
  async (page: Page, { origin }: World): Promise<void> => {
    await page.goto(origin + path);
    await ready(page);
  };

const tokensReady = (page: Page) => rowHead(page, 'ci').waitFor();

function onTokens(act: (page: Page, world: World) => Promise<unknown>) {
  return async (page: Page, world: World): Promise<void> => {
    await at('/api_tokens', tokensReady)(page, world);
    await act(page, world);
  };
}

async function openCreate(page: Page): Promise<void> {
  const dialog = dialogOf(page);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await dialog.getByRole('switch', { name: 'Developer Operations Access' }).check();
  await dialog.getByRole('switch', { name: 'Protected Endpoint Access' }).check();
  await dialog.getByLabel('summarizer').waitFor();
}

async function openSecret(page: Page): Promise<void> {
  await openCreate(page);
  const dialog = dialogOf(page);
  await dialog.getByLabel('Name').fill('laptop');
  await dialog.getByLabel('Every scope').check();
  await dialog.getByLabel('All Deployments').check();
  await dialog.getByRole('button', { name: 'Create' }).click();
  await dialog.getByRole('heading', { name: 'Token created' }).waitFor();
}

async function openAccess(page: Page, access: string): Promise<void> {
  const dialog = dialogOf(page);
  await fromMenu(page, 'Change access', 'summarizer');
  await dialog.getByLabel(access).check();
  await dialog.locator('.preview .notice').waitFor();
}

async function openLogin(page: Page, { origin }: World, query: string): Promise<void> {
  const begun = await (await fetch(`${origin}/api/v1/auth/code${query}`)).json();
  const { code, user_code } = begun as { code: string; user_code?: string };
  await page.goto(`${origin}/api_tokens?code=${code}`);
  if (user_code !== undefined) {
    await page.getByLabel('Code').fill(user_code);
    await page.getByRole('button', { name: 'Continue' }).click();
  }
  await page.getByText('Asked from').waitFor();
}

const endpointsReady = (page: Page) => rowHead(page, 'summarizer').waitFor();
const auditReady = (page: Page) => page.getByText('Created endpoint summarizer').waitFor();
const ASKED = encodeURIComponent(JSON.stringify({ developer: { scopes: ['models:write'] } }));
const BOUND = `?code_challenge=${'c'.repeat(43)}&code_challenge_method=S256&types=${ASKED}`;

/** Every page and dialog of the console, by the name of its screenshot. */
export const SCENES: readonly Scene[] = [
  { name: 'sign-in', signedIn: false, open: at('/', (page) => page.getByLabel('Developer token').waitFor()) },
  { name: 'tokens', open: at('/api_tokens', tokensReady) },
  {
    name: 'tokens-organization',
    open: at('/api_tokens?tab=organization', (page) => rowHead(page, 'gateway').waitFor()),
  },
  {
    name: 'tokens-not-found',
    open: at('/api_tokens?search=zzz', (page) => page.getByText('No token matches').waitFor()),
  },
  {
    name: 'tokens-selected',
    open: onTokens(async (page) => {
      for (const name of ['ci', 'notebook']) await page.getByLabel(`Select ${name}`).check();
    }),
  },
  {
    name: 'tokens-revoke-many',
    open: onTokens(async (page) => {
      for (const name of ['ci', 'admin']) await page.getByLabel(`Select ${name}`).check();
      await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    }),
  },
  { name: 'token-menu', open: onTokens((page) => page.getByRole('button', { name: 'More for ci' }).click()) },
  { name: 'token-create', open: onTokens(openCreate) },
  {
    name: 'token-create-refused',
    open: onTokens(async (page) => {
      await openCreate(page);
      await dialogOf(page).getByRole('button', { name: 'Create' }).click();
      await dialogOf(page).getByText('Give the token a name.').waitFor();
    }),
  },
  {
    name: 'token-limits',
    open: onTokens(async (page) => {
      const dialog = dialogOf(page);
      await openCreate(page);
      await dialog.getByLabel('Name').fill('laptop');
      await dialog.getByLabel('models read').check();
      await dialog.getByLabel('summarizer').check();
      for (const name of ['Rate limit', 'Quota']) await dialog.getByRole('switch', { name }).check();
      await dialog.getByLabel('Quota: Calls').fill('many');
      await dialog.getByRole('button', { name: 'Create' }).click();
      await dialog.getByText('Give a whole number of calls').waitFor();
      await dialog.locator('.sentence').scrollIntoViewIfNeeded();
    }),
  },
  { name: 'token-secret', open: onTokens(openSecret) },
  {
    name: 'token-secret-not-copied',
    open: onTokens(async (page) => {
      await openSecret(page);
      await page.keyboard.press('Escape');
    }),
  },
  {
    name: 'token',
    open: onTokens(async (page) => {
      await fromMenu(page, 'Open');
      await page.getByRole('heading', { name: 'History' }).waitFor();
      await page.getByText('Created token').waitFor();
    }),
  },
  { name: 'token-update', open: onTokens((page) => fromMenu(page, 'Update')) },
  {
    name: 'token-discard',
    open: onTokens(async (page) => {
      await fromMenu(page, 'Update');
      await dialogOf(page).getByLabel('Name').fill('cd');
      await page.keyboard.press('Escape');
    }),
  },
  { name: 'token-rotate', open: onTokens((page) => fromMenu(page, 'Rotate')) },
  { name: 'token-reset', open: onTokens((page) => fromMenu(page, 'Reset limits')) },
  { name: 'token-revoke', open: onTokens((page) => fromMenu(page, 'Revoke')) },
  { name: 'token-delete', open: onTokens((page) => fromMenu(page, 'Delete')) },
  { name: 'endpoints', open: at('/endpoints', endpointsReady) },
  {
    name: 'endpoint-create',
    open: at('/endpoints', async (page) => {
      await endpointsReady(page);
      await page.getByRole('button', { name: 'Create', exact: true }).click();
    }),
  },
  {
    name: 'endpoint-access-private',
    open: at('/endpoints', async (page) => {
      await endpointsReady(page);
      await openAccess(page, 'Private');
    }),
  },
  {
    name: 'endpoint-access-public',
    open: at('/endpoints', async (page) => {
      await endpointsReady(page);
      await openAccess(page, 'Public');
    }),
  },
  { name: 'usage', open: at('/usage', (page) => page.getByRole('heading', { name: 'By endpoint' }).waitFor()) },
  {
    name: 'endpoint-delete',
    open: at('/endpoints', async (page) => {
      await endpointsReady(page);
      await fromMenu(page, 'Delete', 'summarizer');
      await page.getByText('tokens lose access').waitFor();
    }),
  },
  {
    name: 'audit',
    open: at('/audit', async (page) => {
      await auditReady(page);
      await page.getByText('What changed').first().click();
      await page.getByText('What was granted').first().click();
    }),
  },
  {
    name: 'audit-not-found',
    open: at('/audit?subject=summarizer&type=token.created', (page) => page.getByText('No change matches').waitFor()),
  },
  {
    name: 'approve-code',
    open: async (page, { origin }) => {
      const { code } = (await (await fetch(`${origin}/api/v1/auth/code${BOUND}`)).json()) as { code: string };
      await page.goto(`${origin}/api_tokens?code=${code}`);
      await page.getByLabel('Code').fill('BCDF-GHJK');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByText('4 more tries').waitFor();
    },
  },
  { name: 'approve', open: (page, world) => openLogin(page, world, BOUND) },
  { name: 'approve-unbound', open: (page, world) => openLogin(page, world, '') },
  {
    name: 'approve-less',
    open: async (page, world) => {
      await openLogin(page, world, BOUND);
      await page.getByText('Change the grants').click();
    },
  },
];
