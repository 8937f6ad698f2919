import { expect, it } from 'vitest';
import { findings, LOOKS, overflow, problemsOf } from './axe.js';
import { rowHead, useBrowser } from './browser.js';
import { furnishedWorld, SCENES } from './scenes.js';

const visit = useBrowser();

/** `POSTERN_SCENES=token,audit` looks at these only. */
const only = process.env.POSTERN_SCENES?.split(',');

it.each(LOOKS)('every page and dialog is accessible and fits, $look', { timeout: 600_000 }, async (look) => {
  const world = await furnishedWorld();
  const found: string[] = [];
  for (const signedIn of [false, true]) {
    const { page, leave } = await visit(world.origin, signedIn ? world.admin : null, look);
    for (const scene of SCENES.filter(
      (each) => (each.signedIn ?? true) === signedIn && (only?.includes(each.name) ?? true),
    )) {
      await scene.open(page, world);
      found.push(...(await problemsOf(page, scene.name, look)));
    }
    await leave();
  }
  expect(found).toEqual([]);
});

it('the checks find a broken page', async () => {
  const world = await furnishedWorld();
  const { page, leave } = await visit(world.origin, world.admin, { width: 360 });
  await page.goto(world.origin);
  await rowHead(page, 'ci').waitFor();
  expect([...(await findings(page)), ...(await overflow(page))]).toEqual([]);
  await page.evaluate(() => {
    const wide = document.createElement('button');
    wide.style.width = '500px';
    document.querySelector('main')?.append(wide);
  });
  expect(await findings(page)).toEqual([expect.stringContaining('button-name')]);
  expect(await overflow(page)).toEqual([expect.stringMatching(/^HTML/)]);
  await leave();
});

it('nothing moves with reduced motion, and the focus is visible', async () => {
  const world = await furnishedWorld();
  const { page, leave } = await visit(world.origin, world.admin);
  await page.goto(world.origin);
  await rowHead(page, 'ci').waitFor();
  const moving = () =>
    [...document.querySelectorAll('*')].filter((element) => {
      const { animationName, transitionDuration } = getComputedStyle(element);
      return animationName !== 'none' || transitionDuration !== '0s';
    }).length;
  await expect.poll(() => page.evaluate(moving)).toBe(0);
  for (let step = 0; step < 20; step++) {
    await page.keyboard.press('Tab');
    const ring = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement ?? document.body);
      return `${outlineStyle} ${outlineWidth}`;
    });
    expect(ring).toBe('solid 2px');
  }
  await leave();
});
