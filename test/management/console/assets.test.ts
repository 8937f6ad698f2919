import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type ConsoleSettings, consoleAsset } from '../../../src/management/console/index.js';

const PAGES = ['/', '/api_tokens', '/endpoints', '/audit', '/sign-in'];

function load(path: string, from = '', settings: ConsoleSettings = {}) {
  const answer = consoleAsset(path, { ...settings, from });
  if (answer === null) throw new Error(`nothing is served at ${path}`);
  return answer;
}

/** The addresses that a page at this path names. */
function assetsOf(page: string, at = '/'): string[] {
  const named = [...page.matchAll(/(?:src|href)="([^"]*console\/[^"]*)"/g)].map((match) => match[1] as string);
  return named.map((address) => new URL(address, `http://any${at}`).pathname);
}

describe('the assets of the console', () => {
  it('are built from their sources', async () => {
    const build = fileURLToPath(new URL('../../../src/management/console/build.mjs', import.meta.url));
    await promisify(execFile)(process.execPath, [build, '--check']);
  });

  it('are less than 60 KB, gzipped', () => {
    const { body } = load('/');
    const all = [body, ...assetsOf(body).map((path) => load(path).body)];
    expect(all).toHaveLength(3);
    const bytes = all.reduce((sum, text) => sum + gzipSync(text, { level: 9 }).byteLength, 0);
    console.info(`console: ${(bytes / 1024).toFixed(1)} KB gzipped`);
    expect(bytes).toBeGreaterThan(5 * 1024);
    expect(bytes).toBeLessThan(60 * 1024);
  });

  it('are one page at every address, revalidated each time, under a strict policy', () => {
    for (const path of PAGES) {
      const { status, headers, body } = load(path);
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      const policy = headers['content-security-policy'] ?? '';
      for (const directive of [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ]) {
        expect(policy.split('; ')).toContain(directive);
      }
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(body).toBe(load('/').body);
    }
  });

  it('contain no inline script, no inline style and no address of another server', () => {
    const { body } = load('/');
    expect(body).not.toMatch(/<style|\son\w+=|\sstyle=|javascript:/i);
    expect(body.match(/<script\b[^>]*>([^<]*)/g)).toEqual([expect.stringMatching(/ src="[^"]+">$/)]);
    for (const text of [body, ...assetsOf(body).map((path) => load(path).body)]) {
      // Names of XML namespaces, and a name that no server has (RFC 6761), for examples.
      const addresses = [...text.matchAll(/https?:\/\/[^\s"'`)]*/g)].map(([address]) => address);
      const isName = /^http:\/\/www\.w3\.org\/|^https:\/\/your-service\.example\//;
      expect(addresses.filter((address) => !isName.test(address))).toEqual([]);
      expect(text).not.toMatch(/@import|url\(/);
    }
    const script = assetsOf(body)
      .map((path) => load(path).body)
      .join('');
    expect(script).not.toMatch(/insertAdjacentHTML|document\.write|\beval\(|new Function/);
    // Preact's own two lines for `dangerouslySetInnerHTML`, which the console never gives.
    expect(script.match(/\.innerHTML\b/g) ?? []).toHaveLength(script.match(/dangerouslySetInnerHTML/g)?.length ?? 0);
  });

  it('are cached for good under names that change with their content', () => {
    for (const path of assetsOf(load('/').body)) {
      expect(path).toMatch(/^\/console\/app-[0-9a-f]{12}\.(js|css)$/);
      expect(load(path).headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(load(path).headers['x-content-type-options']).toBe('nosniff');
      expect(load(path).headers['content-type']).toMatch(/^text\/(javascript|css); charset=utf-8$/);
      expect(consoleAsset(path.replace(/-[0-9a-f]{12}/, '-000000000000'))).toBeNull();
    }
  });

  it('are found below any mount path of the API, and below any path that a proxy takes off', () => {
    const names = assetsOf(load('/').body);
    expect(names).toHaveLength(2);
    for (const path of PAGES) {
      expect(assetsOf(load(path).body, `/admin${path}`)).toEqual(names.map((name) => `/admin${name}`));
    }
    expect(assetsOf(load('/', 'admin/').body, '/admin')).toEqual(names.map((name) => `/admin${name}`));
    const token = '/api_tokens/46aJeHRWDLkbOu7DUF1GGQ';
    expect(assetsOf(load(token, '../').body, `/admin${token}`)).toEqual(names.map((name) => `/admin${name}`));
    expect(load('/', '"><script>$&/').body).not.toContain('"><script>$&');
  });

  it("allow pictures of the logo's own server, and of no other", () => {
    const imagesOf = (logo: string) =>
      load('/', '', { branding: { logo } }).headers['content-security-policy']?.match(/img-src [^;]+/)?.[0];
    expect(imagesOf('https://cdn.acme.dev:8443/logo.svg?a=b')).toBe("img-src 'self' data: https://cdn.acme.dev:8443");
    expect(imagesOf('/logo.svg')).toBe("img-src 'self' data:");
    expect(imagesOf('data:image/png;base64,AA')).toBe("img-src 'self' data:");
  });

  it('carry the settings as text that ends no attribute', () => {
    const name = '"><script>alert(1)</script>&amp;$&{script}';
    const { body } = load('/', '', { branding: { name } });
    expect(body).not.toContain('<script>alert');
    const [, text = ''] = /data-page="([^"]*)"/.exec(body) ?? [];
    const read = text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
    expect(JSON.parse(read)).toMatchObject({ branding: { name } });
  });

  it.each([
    '/console',
    '/console/',
    '/console/index.html',
    '/console/../api_tokens',
    '/api_tokens/',
    '/api/v1',
    '/style.css',
    '',
  ])('have nothing at %j', (path) => expect(consoleAsset(path)).toBeNull());
});
