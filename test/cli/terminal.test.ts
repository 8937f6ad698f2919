import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { theCommand } from './command.js';

const postern = theCommand();
const store = ['--store', 'sqlite:terminal.db'];

async function create(name: string): Promise<{ uid: string; token: string }> {
  await postern.run(['migrate', ...store]);
  const words = ['api-token', 'create', '--name', name, '--scope', 'models:read', '-o', 'json'];
  return JSON.parse((await postern.run([...words, ...store])).stdout);
}

async function status(uid: string): Promise<number | null> {
  return (await postern.run(['api-token', 'get', uid, ...store])).code;
}

describe('on a terminal the command', () => {
  it('asks before a deletion, with no as the default', async () => {
    const { uid } = await create('precious');
    const refused = postern.start(['api-token', 'delete', uid, ...store], { terminal: true });
    await refused.until(/Delete token/);
    refused.type('\r');
    const ended = await refused.ended;
    expect(ended.code).toBe(130);
    expect(ended.stdout).toContain(`Delete token "precious" (${uid})? [y/N] `);
    expect(ended.stdout).toContain('Cancelled. Nothing was deleted.');
    expect(await status(uid)).toBe(0);

    const confirmed = postern.start(['api-token', 'delete', uid, ...store], { terminal: true });
    await confirmed.until(/Delete token/);
    confirmed.type('y\r');
    expect(await confirmed.ended).toMatchObject({ code: 0, stdout: expect.stringContaining(`Deleted ${uid}`) });
    expect(await status(uid)).toBe(1);
  });

  it('changes nothing after Ctrl-C at a question', async () => {
    const { uid } = await create('kept');
    const asked = postern.start(['api-token', 'delete', uid, ...store], { terminal: true });
    await asked.until(/Delete token/);
    asked.type('\u0003');
    expect((await asked.ended).code).toBe(130);
    expect(await status(uid)).toBe(0);
  });

  it('asks for a token without showing it', async () => {
    const { uid, token } = await create('typed');
    const asked = postern.start(['verify', ...store], { terminal: true });
    await asked.until(/Token to verify/);
    asked.type(token);
    asked.type('\r');
    const { code, stdout } = await asked.ended;
    expect(code).toBe(0);
    expect(stdout).toContain(`ID:            ${uid}`);
    expect(stdout).not.toContain(token.slice(8));
  });

  it('asks for a new token if nothing is given', async () => {
    await postern.run(['migrate', ...store]);
    await postern.run(['endpoint', 'create', 'summarizer', ...store]);
    const making = postern.start(['api-token', 'create', ...store], { terminal: true });
    const answers: readonly (readonly [question: RegExp, answer: string])[] = [
      [/Name: $/, ''],
      [/Give a name\.\s+Name: $/, 'asked'],
      [/1 {2}user: .*\s+2 {2}developer: .*\s+Which, .*: $/, '1,2'],
      [/Endpoints: summarizer; .*\s+Endpoints of user: $/, 'sumarizer'],
      [/There is no endpoint "sumarizer"\.\s+Endpoints of user: $/, 'summarizer'],
      [/Scopes of developer: $/, 'models:read, iam:*'],
      [/Expires in .*: $/, 'yesterday'],
      [/Give a duration .*\s+Expires in .*: $/, ''],
      [/grants user: summarizer; developer: models:read, iam:\*; it expires .*\s+Make it\? \[Y\/n\] $/, ''],
    ];
    for (const [question, answer] of answers) {
      await making.until(question);
      making.type(`${answer}\r`);
    }
    expect(await making.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/\npst_[0-9A-Za-z]{49}\r?\n/) });
    const { stdout } = await postern.run(['api-token', 'list', '--search', 'asked', '-o', 'json', ...store]);
    const [{ types, created_at, expired_at }] = JSON.parse(stdout);
    expect(types).toEqual({ user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:read', 'iam:*'] } });
    expect(Math.round((Date.parse(expired_at) - Date.parse(created_at)) / 86_400_000)).toBe(90);
  });

  it('makes no token after Ctrl-C or a no', async () => {
    await postern.run(['migrate', ...store]);
    const left = postern.start(['api-token', 'create', ...store], { terminal: true });
    await left.until(/Name: $/);
    left.type('\u0003');
    const ended = await left.ended;
    expect(ended).toMatchObject({ code: 130, stdout: expect.stringContaining('Cancelled. Nothing was changed.') });
    expect(ended.stdout).not.toContain('postern:');
  });

  it('asks for no token in a CI system', async () => {
    const { code, stdout } = await postern.run(['api-token', 'create', ...store], {
      terminal: true,
      env: { CI: 'true' },
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: expect.stringContaining('a token needs a name. Give --name') });
  });

  it('colours the state of tokens, and cuts tables to its width', async () => {
    const { uid } = await create(`coloured ${'and much too long '.repeat(8)}`);
    await postern.run(['api-token', 'revoke', uid, ...store]);
    const list = ['api-token', 'list', '--search', 'coloured', ...store];
    const { stdout } = await postern.run(list, { terminal: true });
    expect(stdout).toContain('\u001b[31mrevoked\u001b[0m');
    // `script` makes a terminal of 120 columns. The escapes take none.
    for (const line of stdout.replaceAll('\r', '').split('\n'))
      expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(120);
    expect(stdout).toContain('…');
    expect((await postern.run([...list, '--no-color'], { terminal: true })).stdout).not.toContain('\u001b[31m');
    const piped = (await postern.run(list)).stdout;
    for (const mark of ['\u001b', '…']) expect(piped).not.toContain(mark);
  });

  it('escapes names that would move the cursor or reorder text', async () => {
    await create('evil\u001b[2J\u202etxt.exe');
    const listed = await postern.run(['api-token', 'list', '--search', 'evil', '-o', 'wide', ...store], {
      terminal: true,
    });
    expect(listed.stdout).toContain('evil\\u{1b}[2J\\u{202e}txt.exe');
    expect(listed.stdout).not.toContain('\u202e');
    const json = await postern.run(['api-token', 'list', '--search', 'evil', '-o', 'json', ...store]);
    expect(JSON.parse(json.stdout)[0].name).toBe('evil\u001b[2J\u202etxt.exe');
    expect(json.stdout).not.toContain('\u001b');
  });

  it('shows the progress of a long task, and removes it at the end', async () => {
    const ids = [];
    for (const name of ['a', 'b', 'c']) ids.push((await create(name)).uid);
    const { code, stdout } = await postern.run(['api-token', 'delete', ...ids, '--yes', ...store], { terminal: true });
    expect(code).toBe(0);
    expect(stdout).toContain('Deleting 2 of 3 …');
    expect(stdout.split('\n').filter((line) => line.includes('Deleted'))).toHaveLength(3);
  });
});

describe('in a pipe the command', () => {
  it('asks, colours and counts nothing', async () => {
    const { uid } = await create('piped');
    const refused = await postern.run(['api-token', 'delete', uid, ...store]);
    expect(refused).toEqual({
      code: 2,
      stdout: '',
      stderr: 'postern: deleting needs a confirmation, and there is nobody to ask. Give --yes.\n',
    });
    const { stdout, stderr } = await postern.run(['api-token', 'list', ...store]);
    expect(stdout + stderr).not.toContain('\u001b');
  });

  it('ends without an error if the reader stops', async () => {
    for (const name of ['one', 'two']) await create(name);
    const line = `'${process.execPath}' '${postern.path('dist/cli.js')}' --help | head -1; echo "\${PIPESTATUS[0]}"`;
    const { execFile } = await import('node:child_process');
    const output = await new Promise<string>((resolve, reject) => {
      execFile('bash', ['-c', line], (error, stdout, stderr) => (error ? reject(error) : resolve(stdout + stderr)));
    });
    expect(output).toBe('Usage: postern [options] [command]\n0\n');
  });
});
