import { type Browser, chromium } from 'playwright-core';
import { CHROMIUM, requireTool } from './tools.js';

/** Starts a browser, which the caller closes. */
export async function launchBrowser(): Promise<Browser> {
  requireTool('Chromium');
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
