import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { theCommand } from './command.js';
import { runHere } from './host.js';

const TOKEN = `pst_${'z'.repeat(49)}`;
const env = { POSTERN_CONFIG: '/nonexistent/postern/config.yaml' };

describe('a wrong command line', () => {
  it.each([
    ['an unknown command', ['frobnicate'], "unknown command 'frobnicate'"],
    ['a misspelt command', ['serv'], 'Did you mean serve?'],
    ['an unknown option', ['serve', '--prot', '1'], 'Did you mean --port?'],
    ['an option without its value', ['login', '--endpoint'], "option '--endpoint <url>' argument missing"],
    ['a value that is no choice', ['api-token', 'list', '-o', 'xml'], 'Allowed choices are table, json, yaml.'],
    ['a port that is none', ['serve', '--port', '70000'], 'Give a whole number from 0 to 65535.'],
    [
      'a duration that is none',
      ['api-token', 'rotate', 'x', '--grace', 'soon'],
      'Give a duration such as 30s, 15m, 1h or 90d.',
    ],
    ['an argument that is missing', ['api-token', 'get'], "missing required argument 'id'"],
    ['an argument too many', ['logout', 'now'], "too many arguments for 'logout'"],
    ['a token good for nothing', ['api-token', 'create', '--name', 'x'], 'a token needs rights'],
    [
      'a past expiry',
      ['api-token', 'create', '--name', 'x', '--scope', '*', '--expires-at', '2020-01-01'],
      'is not in the future',
    ],
    [
      'an expiry that is none',
      ['api-token', 'create', '--name', 'x', '--scope', '*', '--expires-at', 'now'],
      '--expires-at is no time',
    ],
    [
      'two expiries',
      ['api-token', 'create', '--name', 'x', '--expires-at', '2030-01-01', '--expires-in', '1d'],
      'cannot be used with',
    ],
    ['nothing to change', ['api-token', 'update', 'x'], 'there is nothing to change'],
    ['types that are no JSON', ['api-token', 'update', 'x', '--types', 'user'], '--types is no JSON object'],
    ['a deletion that nobody can confirm', ['api-token', 'delete', 'x'], 'give --yes'],
    ['a question about nothing', ['explain', '--no-token'], 'give --endpoint, --scope or --authenticated'],
    [
      'a store of no known kind',
      ['api-token', 'list', '--store', 'mysql://localhost'],
      'use sqlite:<path>, postgres://',
    ],
    ['a store and a context', ['api-token', 'list', '--store', 'sqlite:a.db', '--context', 'b'], 'give one of them'],
    [
      'an organization without a store',
      ['api-token', 'list', '--organization', 'acme'],
      '--organization is for --store only',
    ],
    ['no token', ['verify'], 'there is no token'],
    ['a token in two lines', ['verify', '--token-file', '-'], 'holds no token', 'two\nlines'],
    ['no store', ['migrate'], 'name it with --store'],
    ['a name that no context has', ['login', '--api-token', 'x', '--endpoint', 'nonsense'], 'is no URL'],
  ])('%s', async (_, args, sentence, input = '') => {
    const { code, stdout, stderr } = await runHere(args, { env, input });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).toMatch(/^Error: [^\n]+[.?]\n$/);
  });

  it('a group without a command prints its help', async () => {
    const { code, stdout, stderr } = await runHere(['api-token']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: postern api-token');
  });

  it.each([
    ['an option that is unknown', ['login', `--api-tokn=${TOKEN}`]],
    ['a command that is unknown', [TOKEN]],
    ['a subcommand that is unknown', ['api-token', TOKEN]],
    ['a choice that is none', ['api-token', 'list', '-o', TOKEN]],
    ['a number that is none', ['serve', '--port', TOKEN]],
    ['an argument too many', ['logout', TOKEN]],
    ['the id of a token', ['api-token', 'get', TOKEN, '--store', 'sqlite:/nonexistent.db']],
    ['an endpoint', ['login', '--api-token', 'x', '--endpoint', TOKEN]],
    ['a context', ['use-context', TOKEN]],
  ])('never repeats a token: %s', async (_, args) => {
    const { code, stdout, stderr } = await runHere(args, { env: { ...env, POSTERN_DEBUG: '1' } });
    expect(code).not.toBe(0);
    expect(stdout + stderr).not.toContain(TOKEN);
  });

  it.each(['postgres://me:hunter2@127.0.0.1:1/x', 'redis://me:hunter2@127.0.0.1:1', 'mysql://me:hunter2@127.0.0.1'])(
    'never repeats a password: %s',
    async (store) => {
      const { code, stdout, stderr } = await runHere(['api-token', 'list'], {
        env: { ...env, POSTERN_STORE: store, POSTERN_DEBUG: '1' },
      });
      expect(code).toBe(store.startsWith('mysql') ? 2 : 3);
      expect(stdout + stderr).not.toContain('hunter2');
    },
  );
});

describe('errors', () => {
  it('have no stack trace, unless it is asked for', async () => {
    const args = ['api-token', 'list', '--store', 'sqlite:/nonexistent/a.db'];
    const { code, stderr } = await runHere(args, { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: there is no database [^\n]+\n$/);
    const debugged = await runHere(args, { env: { ...env, POSTERN_DEBUG: '1' } });
    expect(debugged.stderr).toMatch(/\n {4}at /);
  });

  it('are red on a terminal, and not where NO_COLOR says so', async () => {
    const onTerminal = await runHere(['use-context', 'x'], { env, terminal: true });
    expect(onTerminal.stderr.startsWith('\u001b[31mError:\u001b[0m there is no context')).toBe(true);
    const plain = await runHere(['use-context', 'x'], { env: { ...env, NO_COLOR: '1' }, terminal: true });
    expect(plain.stderr).toMatch(/^Error: there is no context/);
    expect((await runHere(['use-context', 'x'], { env })).stderr).toMatch(/^Error: there is no context/);
  });
});

describe('help', () => {
  it('names every exit code, and the environment', async () => {
    const { code, stdout, stderr } = await runHere(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const exit of ['0', '1', '2', '3', '130']) expect(stdout).toMatch(new RegExp(`^  ${exit} +\\w`, 'm'));
    for (const name of ['POSTERN_ENDPOINT', 'POSTERN_API_TOKEN', 'POSTERN_STORE', 'POSTERN_CONFIG', 'NO_COLOR']) {
      expect(stdout).toContain(name);
    }
  });

  it.each([
    'serve',
    'login',
    'logout',
    'current-context',
    'list-context',
    'use-context',
    'verify',
    'explain',
    'derive',
    'migrate',
    'completion',
    ...['list', 'create', 'get', 'update', 'rotate', 'revoke', 'delete', 'usage'].map((each) => `api-token ${each}`),
    ...['list', 'create', 'update', 'delete', 'preview'].map((each) => `endpoint ${each}`),
  ])('there is one for %s', async (command) => {
    const { code, stdout } = await runHere([...command.split(' '), '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: postern ${command} `));
  });

  it('prints the version of the package', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await runHere(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });
});

describe('a process', () => {
  const postern = theCommand();

  it('shows neither token nor password among its arguments', async () => {
    // Its stdin stays open: it waits for a token there, with the password of a store among its words.
    const waiting = postern.start(['verify', '--token-file', '-', '--store', 'postgres://me:hunter2@localhost/x'], {
      hold: true,
    });
    await expect
      .poll(async () => (await readFile(`/proc/${waiting.pid}/cmdline`, 'utf8')).replaceAll('\0', ''))
      .toBe('postern');
  });

  it('prints its version, as it is installed', async () => {
    const { version } = JSON.parse(await readFile(postern.path('package.json'), 'utf8'));
    expect(await postern.run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});
