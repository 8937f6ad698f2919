import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { createPostern, memoryStore } from 'postern';
import { derive } from 'postern/jwt';
import { expect, onTestFinished, test } from 'vitest';
import { launchBrowser } from '../support/browser.js';
import { verdict } from '../support/outcomes.js';
import { serve } from '../transports/support.js';

test('derive in a browser makes the same key as here, and its tokens are verified here', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { derive } from './src/jwt/derive.ts'; globalThis.derive = derive;`,
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
  });
  const script = outputFiles[0]?.text ?? '';
  const port = await serve((request, response) => {
    const isScript = request.url === '/derive.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><script type="module" src="/derive.js"></script>');
  });
  // On the machine's clock, as the browser is: the two may be seconds apart on a busy one.
  const postern = createPostern({ store: memoryStore() });
  const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['models:write'] } } });

  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  // Web Crypto needs a secure context, and localhost is one.
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForFunction('typeof globalThis.derive === "function"');
  const derived: string = await page.evaluate(`derive(${JSON.stringify(token)}, { scopes: ['models:read'] })`);

  const ask = async (scope: 'models:read' | 'models:write') =>
    verdict(await postern.authorize({ token: derived, requirement: { scope } }));
  expect([await ask('models:read'), await ask('models:write')]).toEqual(['allowed', 'scope_missing']);
  expect(derived.split('.')[0]).toBe((await derive(token)).split('.')[0]);
});
