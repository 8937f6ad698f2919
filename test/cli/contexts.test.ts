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

describe('the file of the contexts', () => {
  it('is made with its folder, for its owner alone', async () => {
    await save('one');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'deep'))).mode & 0o777).toBe(0o700);
    expect(parse(await readFile(file, 'utf8'))).toEqual({
      current_context: 'one',
      contexts: [{ name: 'one', endpoint: 'https://one.example', api_token: TOKEN, email: 'me@one' }],
    });
  });

  it('is replaced whole: nothing else is left in its folder', async () => {
    await save('one', 'two', 'one');
    expect(await readdir(join(folder, 'deep'))).toEqual(['config.yaml']);
    expect((await load()).contexts.map(({ name }) => name)).toEqual(['two', 'one']);
  });

  it('stays what it was where it can not be written', async () => {
    await save('one');
    const before = await readFile(file, 'utf8');
    // A folder where the new file would take the old one's name.
    const blocked = join(folder, 'blocked');
    await mkdir(join(blocked, 'config.yaml', 'inside'), { recursive: true });
    env.POSTERN_CONFIG = join(blocked, 'config.yaml');
    const { code, stderr } = await runHere(['use-context', 'one'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain("can't be read");
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('stays a link where it is one', async () => {
    const real = join(folder, 'dotfiles.yaml');
    await writeFile(real, '', { mode: 0o600 });
    await mkdir(join(folder, 'deep'));
    await symlink(real, file);
    await save('one');
    expect((await lstat(file)).isSymbolicLink()).toBe(true);
    expect(await readFile(real, 'utf8')).toContain('one.example');
  });

  it('keeps what a later version has written', async () => {
    await save('one');
    const content = parse(await readFile(file, 'utf8'));
    content.contexts[0].region = 'eu';
    await writeFile(file, JSON.stringify({ ...content, theme: 'dark' }));
    await save('two', 'one');
    const kept = parse(await readFile(file, 'utf8'));
    expect(kept.theme).toBe('dark');
    expect(kept.contexts.find(({ name }: { name: string }) => name === 'one').region).toBe('eu');
  });

  it('is closed to others where it was open, with a warning', async () => {
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

  it('has no mode on Windows', async () => {
    await save('one');
    await chmod(file, 0o644);
    expect((await runHere(['list-context'], { env, platform: 'win32' })).stderr).toBe('');
  });

  it.each([
    ['no YAML', `contexts: [{api_token: ${TOKEN}`],
    ['no contexts', `contexts: ${TOKEN}`],
    ['a context without a token', 'contexts: [{ name: one, endpoint: https://one.example }]'],
  ])('is left alone where it holds %s, and no token is shown', async (_, text) => {
    await mkdir(join(folder, 'deep'));
    await writeFile(file, text, { mode: 0o600 });
    const { code, stdout, stderr } = await runHere(['logout'], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(file);
    expect(stderr).toContain('mend the file, or delete it and log in again');
    expect(stderr).not.toContain(TOKEN);
    expect(await readFile(file, 'utf8')).toBe(text);
  });
});

describe('the commands of contexts', () => {
  it('list-context shows all of them, and no token', async () => {
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

  it('use-context chooses one that is there', async () => {
    await save('one', 'two');
    expect((await runHere(['use-context', 'one'], { env })).code).toBe(0);
    expect((await load()).current).toBe('one');
    const { code, stderr } = await runHere(['use-context', 'three'], { env });
    expect(code).toBe(1);
    expect(stderr).toBe(
      'Error: there is no context "three": use one of one, two, or log in with postern login --context three.\n',
    );
    expect((await load()).current).toBe('one');
  });

  it('logout forgets the current one, or the one that is named', async () => {
    await save('one', 'two');
    expect((await runHere(['logout', '--context', 'one'], { env })).code).toBe(0);
    expect(await load()).toMatchObject({ current: 'two', contexts: [{ name: 'two' }] });
    const { stdout } = await runHere(['logout'], { env });
    expect(stdout).toContain('Logged out of https://two.example (context "two").');
    expect(await load()).toEqual({ current: null, contexts: [] });
    expect(await readFile(file, 'utf8')).not.toContain(TOKEN);
    expect(await runHere(['logout'], { env })).toMatchObject({ code: 1 });
  });

  it('current-context is whole in a pipe, and shortened on a terminal unless asked for', async () => {
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

  it('the environment counts over the context', async () => {
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

  it('a saved token goes to no other server than its own', async () => {
    await save('one', 'two');
    const known = await runHere(['current-context'], { env: { ...env, POSTERN_ENDPOINT: 'https://one.example' } });
    expect(JSON.parse(known.stdout)).toMatchObject({ name: 'one', api_token: TOKEN });
    const unknown = await runHere(['current-context'], { env: { ...env, POSTERN_ENDPOINT: 'https://evil.example' } });
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('no token is saved for https://evil.example');
  });

  it('nobody is logged in at first', async () => {
    const { code, stderr } = await runHere(['current-context'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('you are not logged in: use postern login --endpoint <url>');
  });
});
