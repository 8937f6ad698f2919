import { type Browser, chromium } from 'playwright-core';
import { CHROMIUM, requireTool } from './tools.js';

/** A browser of one's own, to be closed. */
export async function launchBrowser(): Promise<Browser> {
  requireTool('Chromium');
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
