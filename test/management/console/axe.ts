import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** The screens that every page is looked at with. */
export const LOOKS = [
  { look: 'light', scheme: 'light', width: 1280, height: 860 },
  { look: 'dark', scheme: 'dark', width: 1280, height: 860 },
  { look: 'phone', scheme: 'light', width: 390, height: 844 },
  { look: 'phone-dark', scheme: 'dark', width: 390, height: 844 },
  { look: 'narrowest', scheme: 'light', width: 320, height: 640 },
] as const;

/** The findings of axe, one a line. The page's policy does not apply to the browser's driver. */
export async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations, passes } = (await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }),
  )) as AxeResults;
  // Without this axe may have looked at nothing.
  expect(passes.length).toBeGreaterThan(10);
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
