import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { screenshot } from './browser.js';

/** The screens that every page is looked at with, and the name of its dark look where it has one. */
export const LOOKS = [
  { look: 'light', dark: 'dark', width: 1280, height: 860 },
  { look: 'phone', dark: 'phone-dark', width: 390, height: 844 },
  // The styles and the elements are those of the phone: only what depends on the room is checked again.
  { look: 'narrowest', dark: null, width: 320, height: 640, rules: ['color-contrast', 'scrollable-region-focusable'] },
] as const satisfies readonly Looked[];

interface Looked {
  readonly look: string;
  readonly dark: string | null;
  readonly width: number;
  readonly height: number;
  /** Those of axe. Default: all. */
  readonly rules?: readonly string[];
}

/** What is wrong with the page as it stands, in light and then in dark, which changes nothing but colours. Takes a screenshot of each. */
export async function problemsOf(
  page: Page,
  name: string,
  { look, dark, rules }: Looked,
  fullPage = false,
): Promise<string[]> {
  const found = [...(await findings(page, rules)), ...(await overflow(page))];
  await screenshot(page, `${name}-${look}`, fullPage);
  if (dark !== null) {
    await page.emulateMedia({ colorScheme: 'dark' });
    found.push(...(await findings(page, ['color-contrast'])));
    await screenshot(page, `${name}-${dark}`, fullPage);
    await page.emulateMedia({ colorScheme: 'light' });
  }
  return found.map((problem) => `${name}: ${problem}`);
}

/** The findings of axe, one a line. The page's policy does not apply to the browser's driver. */
export async function findings(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  const { violations, passes } = (await page.evaluate(
    (only) =>
      (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
        resultTypes: ['violations'],
        ...(only && { runOnly: [...only] }),
      }),
    rules,
  )) as AxeResults;
  // Without this axe may have looked at nothing.
  expect(passes.length).toBeGreaterThan(rules === undefined ? 10 : 0);
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
}

/** Elements wider than the screen: the page or a dialog. */
export function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll('dialog, .menu:popover-open')]
      .filter((element) => element.scrollWidth > element.clientWidth || element.clientWidth > innerWidth)
      .map((element) => `${element.tagName}.${element.className}: ${element.scrollWidth} > ${element.clientWidth}`),
  );
}
