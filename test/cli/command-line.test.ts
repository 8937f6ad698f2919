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
    ['a misspelt subcommand', ['api-token', 'creat'], 'Did you mean create?'],
    ['a token without a name', ['api-token', 'create'], 'a token needs a name. Give --name'],
    ['a wrong time', ['audit', 'list', '--since', 'monday'], '--since is not a time'],
    ['an unknown option', ['serve', '--prot', '1'], 'Did you mean --port?'],
    ['an option without its value', ['login', '--endpoint'], "option '--endpoint <url>' argument missing"],
    ['a value that is no choice', ['api-token', 'list', '-o', 'xml'], 'Allowed choices are table, wide, json, yaml.'],
    ['an unknown choice', ['serve', '--port', '70000'], 'Give a whole number from 0 to 65535.'],
    [
      'an invalid port',
      ['api-token', 'rotate', 'x', '--grace', 'soon'],
      'Give a duration such as 30s, 15m, 1h or 90d.',
    ],
    ['an invalid duration', ['api-token', 'get'], "missing required argument 'id'"],
    ['a missing argument', ['logout', 'now'], "too many arguments for 'logout'"],
    ['a token without grants', ['api-token', 'create', '--name', 'x'], 'a token needs rights'],
    [
      'a past expiry',
      ['api-token', 'create', '--name', 'x', '--scope', '*', '--expires-at', '2020-01-01'],
      'is not in the future',
    ],
    [
      'an invalid expiry',
      ['api-token', 'create', '--name', 'x', '--scope', '*', '--expires-at', 'now'],
      '--expires-at is not a time',
    ],
    [
      'two expiries',
      ['api-token', 'create', '--name', 'x', '--expires-at', '2030-01-01', '--expires-in', '1d'],
      'cannot be used with',
    ],
    ['nothing to change', ['api-token', 'update', 'x'], 'there is nothing to change'],
    ['types that are not JSON', ['api-token', 'update', 'x', '--types', 'user'], '--types is no JSON object'],
    ['a deletion without a terminal to confirm it', ['api-token', 'delete', 'x'], 'Give --yes'],
    ['an explanation without a question', ['explain', '--no-token'], 'Give --endpoint, --scope or --authenticated'],
    [
      'an unknown kind of store',
      ['api-token', 'list', '--store', 'cassandra://localhost'],
      'Use sqlite:<path>, postgres://',
    ],
    ['a store and a context', ['api-token', 'list', '--store', 'sqlite:a.db', '--context', 'b'], 'Give one of them'],
    [
      'an organization without a store',
      ['api-token', 'list', '--organization', 'acme'],
      '--organization is for --store only',
    ],
    ['no token', ['verify'], 'there is no token'],
    ['a token in two lines', ['verify', '--token-file', '-'], 'holds no token', 'two\nlines'],
    ['no store', ['migrate'], 'Name it with --store'],
    ['an unknown context', ['login', '--api-token', 'x', '--endpoint', 'nonsense'], 'is no URL'],
  ])('%s is refused', async (_, args, sentence, input = '') => {
    const { code, stdout, stderr } = await runHere(args, { env, input });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(sentence);
    expect(stderr).toMatch(/^postern: [^\n]+[.?]\n$/);
  });

  it('a command group without a command prints its help', async () => {
    const { code, stdout, stderr } = await runHere(['api-token']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: postern api-token');
  });

  it.each([
    ['an unknown option', ['login', `--api-tokn=${TOKEN}`]],
    ['an unknown command', [TOKEN]],
    ['an unknown subcommand', ['api-token', TOKEN]],
    ['an unknown choice', ['api-token', 'list', '-o', TOKEN]],
    ['an invalid number', ['serve', '--port', TOKEN]],
    ['an argument too many', ['logout', TOKEN]],
    ['the id of a token', ['api-token', 'get', TOKEN, '--store', 'sqlite:/nonexistent.db']],
    ['an endpoint', ['login', '--api-token', 'x', '--endpoint', TOKEN]],
    ['a context', ['use-context', TOKEN]],
  ])('shows no token in its error: %s', async (_, args) => {
    const { code, stdout, stderr } = await runHere(args, { env: { ...env, POSTERN_DEBUG: '1' } });
    expect(code).not.toBe(0);
    expect(stdout + stderr).not.toContain(TOKEN);
  });

  it.each([
    ['postgres://me:hunter2@127.0.0.1:1/x', 3],
    ['mysql://me:hunter2@127.0.0.1:1/x', 3],
    ['redis://me:hunter2@127.0.0.1:1', 3],
    ['cassandra://me:hunter2@127.0.0.1', 2],
  ])('shows no password in its error: %s', async (store, expected) => {
    const { code, stdout, stderr } = await runHere(['api-token', 'list'], {
      env: { ...env, POSTERN_STORE: store, POSTERN_DEBUG: '1' },
    });
    expect(code).toBe(expected);
    expect(stdout + stderr).not.toContain('hunter2');
  });
});

describe('a token among the arguments', () => {
  it.each([
    ['verify', 'echo "$TOKEN" | postern verify, or'],
    ['explain', 'echo "$TOKEN" | postern explain, or'],
    ['derive', 'echo "$TOKEN" | postern derive --token-file -, or'],
  ])('of %s is refused, with the reason and another way', async (command, way) => {
    const { code, stdout, stderr } = await runHere([command, TOKEN], { env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('can be seen by other programs');
    expect(stderr).toContain(way);
    expect(stderr).not.toContain(TOKEN);
  });
});

describe('an error of the command', () => {
  it('has a stack trace only if that is requested', async () => {
    const args = ['api-token', 'list', '--store', 'sqlite:/nonexistent/a.db'];
    const { code, stderr } = await runHere(args, { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^postern: there is no database [^\n]+\n$/);
    const debugged = await runHere(args, { env: { ...env, POSTERN_DEBUG: '1' } });
    expect(debugged.stderr).toMatch(/\n {4}at /);
  });

  it('is red on a terminal, and not with NO_COLOR or --no-color', async () => {
    const onTerminal = await runHere(['use-context', 'x'], { env, terminal: true });
    expect(onTerminal.stderr.startsWith('\u001b[31mpostern:\u001b[0m there is no context')).toBe(true);
    const without = await runHere(['use-context', 'x', '--no-color'], { env, terminal: true });
    expect(without.stderr).toMatch(/^postern: there is no context/);
    const plain = await runHere(['use-context', 'x'], { env: { ...env, NO_COLOR: '1' }, terminal: true });
    expect(plain.stderr).toMatch(/^postern: there is no context/);
    expect((await runHere(['use-context', 'x'], { env })).stderr).toMatch(/^postern: there is no context/);
  });
});

describe('help', () => {
  it('names every exit code, and the environment variables', async () => {
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
    'whoami',
    'open',
    'verify',
    'explain',
    'derive',
    'migrate',
    'completion',
    ...['list', 'create', 'get', 'update', 'rotate', 'revoke', 'delete', 'usage'].map((each) => `api-token ${each}`),
    ...['list', 'use', 'show', 'delete'].map((each) => `context ${each}`),
    'audit list',
    ...['list', 'create', 'update', 'delete', 'preview'].map((each) => `endpoint ${each}`),
  ])('exists for %s', async (command) => {
    const { code, stdout } = await runHere([...command.split(' '), '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: postern ${command}(\\|ls)? `));
  });

  it('postern --version prints the version of the package', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await runHere(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });
});

describe('a process of the command', () => {
  const postern = theCommand();

  it('shows neither token nor password in its arguments', async () => {
    // Its stdin stays open, so it waits for a token, with a password in its arguments.
    const waiting = postern.start(['verify', '--token-file', '-', '--store', 'postgres://me:hunter2@localhost/x'], {
      hold: true,
    });
    await expect
      .poll(async () => (await readFile(`/proc/${waiting.pid}/cmdline`, 'utf8')).replaceAll('\0', ''))
      .toBe('postern');
  });

  it('prints its version when installed', async () => {
    const { version } = JSON.parse(await readFile(postern.path('package.json'), 'utf8'));
    expect(await postern.run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});
