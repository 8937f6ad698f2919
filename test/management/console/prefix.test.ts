import type { AddressInfo } from 'node:net';
import express from 'express';
import { createPostern, memoryStore } from 'postern';
import { managementApi, toNodeHandler } from 'postern/management';
import { describe, expect, it, onTestFinished } from 'vitest';
import { theCommandHere } from '../../cli/here.js';
import { served } from '../../cli/server.js';
import { startNginx } from '../../support/nginx.js';
import { rowHead, useBrowser } from './browser.js';

const visit = useBrowser();
const postern = theCommandHere();

const HOST = 'proxy_set_header Host $http_host;';
/** The slash at the end of the address takes `/admin/` off. */
const stripping = (url: string) => `location /admin/ { ${HOST} proxy_pass ${url}/; }`;
const passing = (url: string) => `location /tokens { ${HOST} proxy_pass ${new URL(url).origin}; }`;

const SHOWN = /(http\S+\/api_tokens\?code=\S+)[\s\S]*?\n {2}([A-Z]{4}-[A-Z]{4})\n/;

describe.each([
  ['that nginx takes off', '/admin', stripping, []],
  ['that nginx leaves on', '/tokens', passing, ['--base-path', '/tokens']],
] as const)('the console below a path %s', (_name, prefix, location, words) => {
  async function start() {
    const server = await served(postern, `prefix${prefix.slice(1)}-${crypto.randomUUID()}.db`, words);
    const origin = `http://127.0.0.1:${await startNginx(location(server.url))}`;
    return { server, origin, address: origin + prefix };
  }

  it('opens, signs in and out, and its links, its history and a second load stay below it', async () => {
    const { server, origin, address } = await start();
    const { page, context, leave } = await visit(origin, null);
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    // nginx itself adds the slash where it takes the path off.
    await page.goto(address);
    await page.getByLabel('Developer token').fill(server.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await rowHead(page, 'bootstrap').waitFor();
    expect(page.url()).toBe(`${address}/api_tokens`);
    expect(await context.cookies(address)).toMatchObject([{ name: 'postern_session', httpOnly: true }]);

    await page.getByRole('link', { name: 'Endpoints' }).click();
    await rowHead(page, 'demo').waitFor();
    expect(page.url()).toBe(`${address}/endpoints`);
    const audit = await page.getByRole('link', { name: 'Audit' }).getAttribute('href');
    expect(audit).toBe(`${prefix}/audit`);
    await page.goBack();
    expect(page.url()).toBe(`${address}/api_tokens`);
    await page.goto(`${address}/audit`);
    await page.getByRole('heading', { name: 'Audit' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Audit' }).waitFor();

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to postern' }).waitFor();
    expect(await context.cookies()).toEqual([]);
    expect(requests.filter((url) => url !== address && !url.startsWith(`${address}/`))).toEqual([]);
    await leave();
  });

  it('approves a login of the command, which then works there', async () => {
    const { server, origin, address } = await start();
    const env = { POSTERN_CONFIG: postern.path(`${crypto.randomUUID()}.yaml`) };
    const login = postern.start(['login', '--endpoint', address, '--no-browser', '--scope', 'iam:read'], { env });
    const [, url = '', userCode = ''] = await login.until(SHOWN, 'stderr');
    expect(url).toContain(`${address}/api_tokens?code=`);
    const { page, leave } = await visit(origin, server.token, { basePath: prefix });
    await page.goto(url);
    await page.getByLabel('Code').fill(userCode);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'Approved' }).waitFor();
    expect(await login.ended).toMatchObject({ code: 0 });
    await page.getByRole('button', { name: 'Go to API Tokens' }).click();
    await rowHead(page, 'Login from 127.0.0.1').waitFor();
    expect(page.url()).toBe(`${address}/api_tokens`);
    await leave();
    expect(await postern.run(['api-token', 'list'], { env })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('bootstrap'),
    });
  });
});

it('a page at the mount path itself, without a slash, finds its files', async () => {
  const instance = createPostern({ store: memoryStore() });
  const app = express();
  app.use(toNodeHandler(managementApi(instance, { basePath: '/deep/admin', session: true })));
  const server = app.listen(0, '127.0.0.1');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await instance.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { page, leave } = await visit(origin, null);
  for (const path of ['/deep/admin', '/deep/admin/', '/deep/admin/endpoints']) {
    await page.goto(origin + path);
    await page.getByRole('heading', { name: 'Sign in to postern' }).waitFor();
  }
  await leave();
});
