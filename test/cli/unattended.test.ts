import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, utimes, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { loadContexts } from '../../src/cli/contexts.js';
import type { Host } from '../../src/cli/host.js';
import { theCommand } from './command.js';
import { theCommandHere } from './here.js';
import { served } from './server.js';

const postern = theCommand();
const here = theCommandHere();
let databases = 0;
const serve = () => served(here, `unattended-${databases++}.db`);
const contexts = async () => {
  const host = { env: { POSTERN_CONFIG: postern.path('config.yaml') }, platform: 'linux', stderr: { write() {} } };
  return (await loadContexts(host as unknown as Host)).contexts.map(({ name }) => name).sort();
};
afterEach(() => rm(postern.path('config.yaml'), { force: true }));

describe('a command that nobody watches', () => {
  it('does not wait for a stdin that never ends when the environment has the token', async () => {
    const { env } = await serve();
    const { code, stdout } = await postern.start(['verify'], { env, hold: true }).ended;
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('The token is valid.') });
  });

  it('gives up on a stdin that never ends when nothing else has the token, and says so', async () => {
    const { code, stderr } = await postern.start(['derive', '--scope', 'models:read'], { hold: true }).ended;
    expect(code).toBe(2);
    expect(stderr).toContain('stdin is open and did not end in 10 seconds');
  });

  it('inside `while read` leaves the input of the loop alone', async () => {
    const { token } = await serve();
    const script = `while read -r scope; do "$NODE" "$COMMAND" derive --scope "$scope" -o json; done`;
    const loop = spawn('bash', ['-c', script], {
      env: {
        PATH: process.env.PATH,
        NODE: process.execPath,
        COMMAND: postern.path('dist/cli.js'),
        POSTERN_CONFIG: postern.path('config.yaml'),
        POSTERN_API_TOKEN: token,
      },
    });
    let stdout = '';
    loop.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    loop.stdin.end('models:read\nmodels:write\nbentos:read\n');
    await once(loop, 'close');
    expect(stdout.match(/"token"/g)).toHaveLength(3);
  });

  it('checks the piped token, not the one that it is logged in with', async () => {
    const { env } = await serve();
    const { code, stdout } = await postern.run(['verify'], { env, input: `pst_${'0'.repeat(49)}` });
    expect({ code, stdout }).toMatchObject({ code: 1, stdout: expect.stringContaining('The token is not valid') });
  });

  it('says which token it used when a pipe was not read', async () => {
    const { env } = await serve();
    const { stderr } = await postern.run(['derive', '--scope', 'models:read'], { env, input: 'something else' });
    expect(stderr).toContain('The token is that of POSTERN_API_TOKEN. For a piped one, give --token-file -');
  });

  it('names the encoding of a token file that PowerShell wrote', async () => {
    const path = postern.path('token.txt');
    await writeFile(path, Buffer.from(`\ufeffpst_${'a'.repeat(49)}\r\n`, 'utf16le'));
    const { code, stderr } = await postern.run(['derive', '--token-file', path]);
    expect(code).toBe(2);
    expect(stderr).toContain('is text in UTF-16. Save it as UTF-8');
    await writeFile(path, `\ufeffpst_${'a'.repeat(49)}\r\n`);
    expect((await postern.run(['derive', '--token-file', path])).stderr).not.toContain('holds no token');
  });

  it('keeps every context when four log in at once', async () => {
    const { url, token } = await serve();
    const names = ['a', 'b', 'c', 'd'];
    const logins = await Promise.all(
      names.map((name) => postern.run(['login', '--endpoint', url, '--api-token', token, '--context', name])),
    );
    expect(logins.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(await contexts()).toEqual(names);
  });

  it('takes over a lock that a command left behind when it died', async () => {
    const { url, token } = await serve();
    const lock = postern.path('config.yaml.lock');
    await writeFile(lock, '');
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(lock, longAgo, longAgo);
    const { code } = await postern.run(['login', '--endpoint', url, '--api-token', token]);
    expect(code).toBe(0);
    expect(await contexts()).toEqual(['default']);
  });
});
