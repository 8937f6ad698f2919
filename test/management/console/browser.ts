import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { launchBrowser } from '../../support/browser.js';

/** The folder of screenshots for people. */
const SCREENSHOTS = fileURLToPath(new URL('../../../.tmp/screenshots', import.meta.url));
/** `npm run screenshots` puts these into the documentation too. */
const IN_DOCS = ['tokens-light', 'tokens-dark', 'token-light', 'token-secret-light', 'usage-light', 'tokens-phone'];
const DOCS = fileURLToPath(new URL('../../../docs/images', import.meta.url));

export interface Look {
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  /** The mount path of the console. */
  readonly basePath?: string;
  /** The browser's language. Default `en`. */
  readonly locale?: string;
}

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Ends the visit, and fails if something forbidden happened. */
  leave(): Promise<void>;
}

/** Chromium, started once for a test file. */
export function useBrowser() {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  /** A person's browser at an origin, signed in if there is a token. */
  return async function visit(origin: string, token: string | null, look: Look = {}): Promise<Visit> {
    const context = await browser.newContext({
      colorScheme: look.scheme ?? 'light',
      viewport: { width: look.width ?? 1280, height: look.height ?? 860 },
      timezoneId: 'UTC',
      locale: look.locale ?? 'en',
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(60_000);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
    if (token !== null) await signIn(context, origin, look.basePath ?? '', token);
    const page = await context.newPage();
    const trouble = watch(page, origin);
    return {
      page,
      context,
      async leave() {
        trouble.push(...(await violations(page)));
        await context.close();
        expect(trouble).toEqual([]);
      },
    };
  };
}

async function signIn(context: BrowserContext, origin: string, basePath: string, token: string): Promise<void> {
  const address = `${origin}${basePath}/api/v1/session`;
  const response = await context.request.post(address, { data: { token }, headers: { origin } });
  expect(response.status()).toBe(200);
}

/** Forbidden are requests elsewhere, errors in the page, breaches of its policy and native dialogs. */
function watch(page: Page, origin: string): string[] {
  const trouble: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:')) {
      trouble.push(`request to ${request.url()}`);
    }
  });
  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    // Tests leave filled-in forms on purpose.
    if (dialog.type() === 'beforeunload') {
      void dialog.accept();
      return;
    }
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    // The browser reports every refused or failed request itself.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      trouble.push(`console: ${message.text()}`);
    }
  });
  void page.addInitScript(() => {
    const seen: string[] = [];
    Object.assign(globalThis, { policyViolations: seen });
    addEventListener('securitypolicyviolation', (event) => {
      seen.push(`${event.violatedDirective}: ${event.blockedURI}`);
    });
  });
  return trouble;
}

function violations(page: Page): Promise<string[]> {
  return page.evaluate(() => (globalThis as unknown as { policyViolations?: string[] }).policyViolations ?? []);
}

/** The top dialog. */
export function dialogOf(page: Page): Locator {
  return page.locator('dialog[open]').last();
}

/** The names in the list of tokens. */
export function namesIn(page: Page): Promise<string[]> {
  return page.getByRole('rowheader').getByRole('link').allInnerTexts();
}

/** The row of that very name: a hint of another row may hold the same letters. */
export function rowHead(page: Page, name: string): Locator {
  return page.getByRole('rowheader').filter({ has: page.getByText(name, { exact: true }) });
}

/** Chooses an action from the menu of a row. */
export async function fromMenu(page: Page, item: string, name = 'ci'): Promise<void> {
  await page.getByRole('button', { name: `More for ${name}`, exact: true }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

/**
 * For people, where they ask for it with `POSTERN_SCREENSHOTS` or `POSTERN_DOCS`.
 *
 * @param fullPage what is below the screen too
 */
export async function screenshot(page: Page, name: string, fullPage = false): Promise<void> {
  if (!process.env.POSTERN_SCREENSHOTS && !process.env.POSTERN_DOCS) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage });
  if (process.env.POSTERN_DOCS && IN_DOCS.includes(name)) {
    copyFileSync(join(SCREENSHOTS, `${name}.png`), join(DOCS, `console-${name}.png`));
  }
}

/** Presses Tab until the element of this name has the focus. */
export async function tabTo(page: Page, name: string, key = 'Tab'): Promise<void> {
  const passed: string[] = [];
  for (let step = 0; step < 80; step++) {
    await page.keyboard.press(key);
    const focused = await focusedName(page);
    if (focused === name) return;
    passed.push(focused);
  }
  throw new Error(`the focus never came to ${name}; it went over ${passed.join(' | ')}`);
}

/** The focused element, as a screen reader names it. */
export function focusedName(page: Page): Promise<string> {
  return page.evaluate(() => {
    const focused = document.activeElement;
    const label =
      focused instanceof HTMLInputElement ||
      focused instanceof HTMLTextAreaElement ||
      focused instanceof HTMLSelectElement
        ? focused.labels?.[0]?.textContent
        : null;
    return (focused?.getAttribute('aria-label') ?? label ?? focused?.textContent ?? '').replace(/\s+/g, ' ').trim();
  });
}
