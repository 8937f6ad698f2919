import { describe, expect, it } from 'vitest';
import { theCommandHere } from './here.js';

const postern = theCommandHere();
const TOKEN = /^pst_[0-9A-Za-z]{49}\n$/;

/** The printed JSON of a command. */
async function json(args: readonly string[], input?: string) {
  const ended = await postern.run([...args, '-o', 'json'], input === undefined ? {} : { input });
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
  return JSON.parse(ended.stdout);
}

describe('the command on a store', () => {
  const store = ['--store', 'sqlite:whole-life.db'];

  it('makes the tables, and a dry run only shows its statements', async () => {
    const plan = await postern.run(['migrate', ...store, '--dry-run']);
    expect(plan).toMatchObject({ code: 0 });
    expect(plan.stdout).toContain('CREATE TABLE tokens (');
    expect(plan.stdout.trimEnd().split('\n').at(-1)).toMatch(/;$/);

    // The dry run made nothing, so all is still to do.
    expect(await json(['migrate', ...store])).toMatchObject({ from: 0, dry_run: false });
    const again = await json(['migrate', ...store]);
    expect(again).toMatchObject({ statements: [] });
    expect(again.from).toBe(again.to);
  });

  it('runs endpoint create, list, update, preview and delete', async () => {
    expect(await json(['endpoint', 'create', 'summarizer', ...store])).toMatchObject({ access: 'protected' });
    await json(['endpoint', 'create', 'translator', '--access', 'public', ...store]);
    expect(await json(['endpoint', 'list', ...store])).toMatchObject([{ id: 'summarizer' }, { id: 'translator' }]);
    const updated = await json(['endpoint', 'update', 'translator', '--access', 'private', ...store]);
    expect(updated).toMatchObject({ id: 'translator', access: 'private', organization: 'default' });
    const { uid } = await json(['api-token', 'create', '--name', 'reader', '--endpoint', 'summarizer', ...store]);
    expect(await json(['endpoint', 'preview', 'summarizer', '--access', 'private', ...store])).toMatchObject({
      from: 'protected',
      to: 'private',
      open_to_anyone: false,
      gain: [],
      lose: [{ uid, name: 'reader' }],
    });
    const deleted = await postern.run(['endpoint', 'delete', 'translator', '--yes', ...store]);
    expect(deleted).toEqual({ code: 0, stdout: 'Deleted translator\n', stderr: '' });
    expect(await json(['endpoint', 'list', ...store])).toMatchObject([{ id: 'summarizer' }]);
  });

  it('runs api-token create, verify, explain, derive, update, rotate, usage, revoke and delete', async () => {
    const created = await postern.run([
      ...['api-token', 'create', '--name', 'ci', '--description', 'nightly', '--owner', 'ann', '--label', 'team=nlp'],
      ...['--scope', 'models:write', '--endpoint', 'summarizer', '--expires-in', '90d', ...store],
    ]);
    expect(created).toMatchObject({ code: 0, stdout: expect.stringMatching(TOKEN) });
    const token = created.stdout.trim();
    expect(created.stderr).toMatch(/^Created token "ci" \(\w+\); it expires /);
    expect(created.stderr).not.toContain(token);

    const [listed] = await json(['api-token', 'list', '--search', 'nightly', ...store]);
    const { uid } = listed;
    expect(listed).toMatchObject({ name: 'ci', status: 'active', owner: 'ann', labels: { team: 'nlp' } });
    expect(listed.types).toEqual({ user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:write'] } });
    expect(JSON.stringify(listed)).not.toContain(token);

    expect(await json(['verify', ...store], token)).toMatchObject({
      active: true,
      uid,
      owner: 'ann',
      organization: 'default',
      scopes: ['models:write', 'models:read'],
      endpoints: ['summarizer'],
    });
    expect(await json(['explain', '--endpoint', 'summarizer', ...store], token)).toMatchObject({ allowed: true });
    const denied = await postern.run(['explain', '--scope', 'iam:write', ...store], { input: token });
    expect(denied).toMatchObject({ code: 1, stderr: '' });
    expect(denied.stdout).toContain('Denied: scope_missing');
    expect(denied.stdout).toContain('Grant the token iam:write (type developer).');

    const narrow = await postern.run(['derive', '--scope', 'models:read', '--expires-in', '1m'], { input: token });
    expect(narrow.code).toBe(0);
    const ofNarrow = await postern.run(['explain', '--scope', 'models:write', ...store], { input: narrow.stdout });
    expect(ofNarrow).toMatchObject({ code: 1, stdout: expect.stringContaining('scope_missing') });
    expect(await json(['explain', '--scope', 'models:read', ...store], narrow.stdout)).toMatchObject({ allowed: true });

    const changes = ['--name', 'ci 2', '--scope', 'models:read', '--expires-in', 'never', '--no-labels'];
    expect(await json(['api-token', 'update', uid, ...changes, ...store])).toMatchObject({
      name: 'ci 2',
      description: 'nightly',
      types: { developer: { scopes: ['models:read'] } },
      expired_at: null,
      labels: {},
    });

    const rotated = await postern.run(['api-token', 'rotate', uid, '--grace', '1h', ...store]);
    expect(rotated).toMatchObject({ code: 0, stdout: expect.stringMatching(TOKEN) });
    expect(rotated.stdout.trim()).not.toBe(token);
    expect(await json(['verify', ...store], token)).toMatchObject({ active: true, uid });
    expect(await json(['verify', ...store], rotated.stdout)).toMatchObject({ active: true, uid });
    expect(await json(['api-token', 'usage', uid, ...store])).toEqual([]);

    expect(await postern.run(['api-token', 'revoke', uid, ...store])).toMatchObject({
      code: 0,
      stdout: `Revoked ${uid}\n`,
    });
    const ended = await postern.run(['verify', ...store], { input: rotated.stdout });
    expect(ended).toMatchObject({ code: 1, stdout: expect.stringContaining('revoked') });
    expect(await json(['api-token', 'get', uid, ...store])).toMatchObject({ status: 'revoked' });

    const deleted = await postern.run(['api-token', 'delete', uid, '--yes', ...store]);
    expect(deleted).toEqual({ code: 0, stdout: `Deleted ${uid}\n`, stderr: '' });
    const gone = await postern.run(['api-token', 'get', uid, ...store]);
    expect(gone).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('there is no token') });
  });

  it('works in the named organization only', async () => {
    const other = ['--organization', 'acme', ...store];
    const { uid } = await json(['api-token', 'create', '--name', 'theirs', '--scope', 'models:read', ...other]);
    expect(await json(['api-token', 'list', ...other])).toMatchObject([{ uid, organization: 'acme' }]);
    for (const words of [
      ['get'],
      ['rotate'],
      ['revoke'],
      ['delete', '--yes'],
      ['update', '--name', 'mine'],
      ['usage'],
    ]) {
      const [command = '', ...rest] = words;
      const refused = await postern.run(['api-token', command, uid, ...rest, ...store]);
      expect(refused, command).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('there is no token'),
      });
    }
    expect(await json(['api-token', 'get', uid, ...other])).toMatchObject({ name: 'theirs', status: 'active' });
  });

  it('deletes no token if one of the ids is wrong', async () => {
    const { uid } = await json(['api-token', 'create', '--name', 'kept', '--scope', 'models:read', ...store]);
    const refused = await postern.run(['api-token', 'delete', uid, 'mistyped', '--yes', ...store]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('"mistyped"') });
    expect(await json(['api-token', 'get', uid, ...store])).toMatchObject({ name: 'kept' });
  });

  it('prunes what has expired, and nothing else', async () => {
    const { uid } = await json(['api-token', 'create', '--name', 'alive', '--scope', 'models:read', ...store]);
    await json(['api-token', 'create', '--name', 'short', '--scope', 'models:read', '--expires-in', '1s', ...store]);
    const prune = ['api-token', 'prune', '--older-than', '1s', ...store];
    expect(await postern.run(prune)).toMatchObject({ code: 2, stderr: expect.stringContaining('Give --yes') });
    await expect
      .poll(async () => (await postern.run([...prune, '--yes'])).stdout)
      .toBe('Deleted 1 token that expired more than 1s ago\n');
    expect(await json(['api-token', 'list', '--search', 'short', ...store])).toEqual([]);
    expect(await json(['api-token', 'get', uid, ...store])).toMatchObject({ name: 'alive' });
    const ofOne = await postern.run([...prune, '--yes', '--organization', 'other']);
    expect(ofOne).toMatchObject({ code: 2, stderr: expect.stringContaining('Leave --organization out') });
  });
});
