import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Debian's. Playwright brings none along, and downloads are not for tests. */
const CHROMIUM = process.env.POSTERN_CHROMIUM ?? '/usr/bin/chromium';

/** A browser of one's own, to be closed. A machine without one fails, and says how to get one. */
export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`${CHROMIUM} is not there: apt-get install chromium, or name another one in POSTERN_CHROMIUM`);
  }
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
