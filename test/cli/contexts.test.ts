import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Contexts, loadContexts, saveContext } from '../../src/cli/contexts.js';
import type { Host } from '../../src/cli/host.js';
import { runHere } from './host.js';

const TOKEN = `pst_${'a'.repeat(49)}`;
let folder: string;
let file: string;
let env: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-contexts-'));
  file = join(folder, 'deep', 'config.yaml');
  env = { POSTERN_CONFIG: file };
});
afterEach(() => rm(folder, { recursive: true }));

function host(): Host {
  return { env, platform: 'linux', stderr: { write() {} } } as unknown as Host;
}

async function save(...names: string[]): Promise<void> {
  for (const name of names) {
    await saveContext(host(), { name, endpoint: `https://${name}.example`, api_token: TOKEN, email: `me@${name}` });
  }
}

const load = (): Promise<Contexts> => loadContexts(host());

describe('the file of contexts', () => {
  it('is created with its folder, for its owner only', async () => {
    await save('one');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'deep'))).mode & 0o777).toBe(0o700);
    expect(parse(await readFile(file, 'utf8'))).toEqual({
      current_context: 'one',
      contexts: [{ name: 'one', endpoint: 'https://one.example', api_token: TOKEN, email: 'me@one' }],
    });
  });

  it('is replaced as a whole, and no other file stays in its folder', async () => {
    await save('one', 'two', 'one');
    expect(await readdir(join(folder, 'deep'))).toEqual(['config.yaml']);
    expect((await load()).contexts.map(({ name }) => name)).toEqual(['two', 'one']);
  });

  it('is unchanged if it can not be written', async () => {
    await save('one');
    const before = await readFile(file, 'utf8');
    // A folder stands in place of the new file.
    const blocked = join(folder, 'blocked');
    await mkdir(join(blocked, 'config.yaml', 'inside'), { recursive: true });
    env.POSTERN_CONFIG = join(blocked, 'config.yaml');
    const { code, stderr } = await runHere(['use-context', 'one'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain("can't be read");
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('stays a link if it is one', async () => {
    const real = join(folder, 'dotfiles.yaml');
    await writeFile(real, '', { mode: 0o600 });
    await mkdir(join(folder, 'deep'));
    await symlink(real, file);
    await save('one');
    expect((await lstat(file)).isSymbolicLink()).toBe(true);
    expect(await readFile(real, 'utf8')).toContain('one.example');
  });

  it('keeps fields of a later version', async () => {
    await save('one');
    const content = parse(await readFile(file, 'utf8'));
    content.contexts[0].region = 'eu';
    await writeFile(file, JSON.stringify({ ...content, theme: 'dark' }));
    await save('two', 'one');
    const kept = parse(await readFile(file, 'utf8'));
    expect(kept.theme).toBe('dark');
    expect(kept.contexts.find(({ name }: { name: string }) => name === 'one').region).toBe('eu');
  });

  it('loses access for others if it had any, with a warning', async () => {
    await save('one');
    await chmod(file, 0o644);
    const { code, stderr } = await runHere(['list-context'], { env });
    expect(code).toBe(0);
    expect(stderr).toBe(
      `Warning: ${file} had mode 0644, so that others could read its tokens: it is 0600 now. Rotate them if anyone did.\n`,
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await runHere(['list-context'], { env })).stderr).toBe('');
  });

  it('needs no mode on Windows', async () => {
    await save('one');
    await chmod(file, 0o644);
    expect((await runHere(['list-context'], { env, platform: 'win32' })).stderr).toBe('');
  });

  it.each([
    ['invalid YAML', `contexts: [{api_token: ${TOKEN}`],
    ['no contexts', `contexts: ${TOKEN}`],
    ['a context without a token', 'contexts: [{ name: one, endpoint: https://one.example }]'],
  ])('is left alone if it holds %s, and no token is shown', async (_, text) => {
    await mkdir(join(folder, 'deep'));
    await writeFile(file, text, { mode: 0o600 });
    const { code, stdout, stderr } = await runHere(['logout'], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(file);
    expect(stderr).toContain('Mend the file, or delete it and log in again');
    expect(stderr).not.toContain(TOKEN);
    expect(await readFile(file, 'utf8')).toBe(text);
  });
});

describe('a context command', () => {
  it('list-context shows all contexts without tokens', async () => {
    await save('one', 'two');
    const { stdout } = await runHere(['list-context'], { env });
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'CURRENT  NAME  ENDPOINT             EMAIL',
      '         one   https://one.example  me@one',
      '*        two   https://two.example  me@two',
      '',
    ]);
    const json = (await runHere(['list-context', '-o', 'json'], { env })).stdout;
    expect(JSON.parse(json)[1]).toEqual({
      name: 'two',
      current: true,
      endpoint: 'https://two.example',
      email: 'me@two',
    });
    expect(json).not.toContain(TOKEN);
  });

  it('use-context chooses an existing context', async () => {
    await save('one', 'two');
    expect((await runHere(['use-context', 'one'], { env })).code).toBe(0);
    expect((await load()).current).toBe('one');
    const { code, stderr } = await runHere(['use-context', 'three'], { env });
    expect(code).toBe(1);
    expect(stderr).toBe(
      'postern: there is no context "three". Use one of one, two, or log in with postern login --context three.\n',
    );
    expect((await load()).current).toBe('one');
  });

  it('logout removes the current or the named context', async () => {
    await save('one', 'two');
    expect((await runHere(['logout', '--context', 'one'], { env })).code).toBe(0);
    expect(await load()).toMatchObject({ current: 'two', contexts: [{ name: 'two' }] });
    const { stdout } = await runHere(['logout'], { env });
    expect(stdout).toContain('Logged out of https://two.example (context "two").');
    expect(await load()).toEqual({ current: null, contexts: [] });
    expect(await readFile(file, 'utf8')).not.toContain(TOKEN);
    expect(await runHere(['logout'], { env })).toMatchObject({ code: 1 });
  });

  it('current-context is whole in a pipe, and shortened on a terminal by default', async () => {
    await save('one');
    const expected = { name: 'one', endpoint: 'https://one.example', api_token: TOKEN, email: 'me@one' };
    const piped = await runHere(['current-context'], { env });
    expect(JSON.parse(piped.stdout)).toEqual(expected);
    expect(Object.keys(JSON.parse(piped.stdout))).toEqual(['name', 'endpoint', 'api_token', 'email']);
    const shown = await runHere(['current-context'], { env, terminal: true });
    expect(JSON.parse(shown.stdout)).toEqual({ ...expected, api_token: 'pst_aaaa…' });
    expect(shown.stdout + shown.stderr).not.toContain(TOKEN);
    const whole = await runHere(['current-context', '--show-token'], { env, terminal: true });
    expect(JSON.parse(whole.stdout)).toEqual(expected);
    expect(parse((await runHere(['current-context', '-o', 'yaml'], { env })).stdout)).toEqual(expected);
  });

  it('context list, use and delete are the old words in a new order', async () => {
    await save('one', 'two');
    for (const words of [['list'], ['ls', '-o', 'json']]) {
      const { stdout } = await runHere(['context', ...words], { env });
      expect(stdout).toBe((await runHere(['list-context', ...words.slice(1)], { env })).stdout);
    }
    expect((await runHere(['context', 'use', 'one'], { env })).stdout).toBe(
      'Using context "one": https://one.example\n',
    );
    expect((await load()).current).toBe('one');
    expect((await runHere(['context', 'delete', 'one'], { env })).stdout).toContain(
      'Logged out of https://one.example',
    );
    expect(await load()).toMatchObject({ current: null, contexts: [{ name: 'two' }] });
    expect(await runHere(['context', 'delete', 'one'], { env })).toMatchObject({ code: 1, stdout: '' });
  });

  it('context show cuts the token short everywhere, unless it is asked for', async () => {
    await save('one', 'two');
    const expected = { name: 'two', endpoint: 'https://two.example', api_token: 'pst_aaaa…', email: 'me@two' };
    for (const terminal of [true, false]) {
      const json = await runHere(['context', 'show', '-o', 'json'], { env, terminal });
      expect(JSON.parse(json.stdout)).toEqual(expected);
      const shown = await runHere(['context', 'show', 'one'], { env, terminal });
      expect(shown.stdout).toBe(
        'Name:      one\nEndpoint:  https://one.example\nToken:     pst_aaaa…\nEmail:     me@one\n',
      );
      expect(shown.stdout + shown.stderr).not.toContain(TOKEN);
      const whole = await runHere(['context', 'show', '--show-token', '-o', 'json'], { env, terminal });
      expect(JSON.parse(whole.stdout)).toEqual({ ...expected, api_token: TOKEN });
    }
  });

  it('an account without an address is called an owner', async () => {
    await saveContext(host(), { name: 'local', endpoint: 'https://local.example', api_token: TOKEN, email: 'admin' });
    expect((await runHere(['context', 'show'], { env })).stdout).toMatch(/^Owner: +admin$/m);
    expect((await runHere(['context', 'list'], { env })).stdout).toMatch(/ OWNER\n/);
    await save('one');
    await runHere(['logout', '--context', 'local'], { env });
    expect((await runHere(['context', 'list'], { env })).stdout).toMatch(/ EMAIL\n/);
  });

  it('open prints the address of the console, and opens it on a terminal only', async () => {
    await save('one');
    const page = 'https://one.example/api_tokens';
    expect(await runHere(['open'], { env, terminal: true })).toMatchObject({ stdout: `${page}\n`, opened: [page] });
    expect(await runHere(['open'], { env })).toMatchObject({ stdout: `${page}\n`, opened: [] });
    const printed = await runHere(['open', '--no-browser'], { env, terminal: true });
    expect(printed).toMatchObject({ code: 0, stdout: `${page}\n`, opened: [] });
  });

  it('prefers the environment over the context', async () => {
    await save('one');
    const other = `pst_${'b'.repeat(49)}`;
    const both = { ...env, POSTERN_ENDPOINT: 'https://ci.example/', POSTERN_API_TOKEN: other };
    expect(JSON.parse((await runHere(['current-context'], { env: both })).stdout)).toEqual({
      name: '(environment)',
      endpoint: 'https://ci.example',
      api_token: other,
      email: '',
    });
    const token = { ...env, POSTERN_API_TOKEN: other };
    expect(JSON.parse((await runHere(['current-context'], { env: token })).stdout)).toMatchObject({
      endpoint: 'https://one.example',
      api_token: other,
    });
  });

  it('sends a saved token to its own server only', async () => {
    await save('one', 'two');
    const known = await runHere(['current-context'], { env: { ...env, POSTERN_ENDPOINT: 'https://one.example' } });
    expect(JSON.parse(known.stdout)).toMatchObject({ name: 'one', api_token: TOKEN });
    const unknown = await runHere(['current-context'], { env: { ...env, POSTERN_ENDPOINT: 'https://evil.example' } });
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('no token is saved for https://evil.example');
  });

  it('says at first that nobody is logged in', async () => {
    const { code, stderr } = await runHere(['current-context'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('you are not logged in. Use postern login --endpoint <url>');
  });
});
