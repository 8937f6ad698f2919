import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { theCommandHere } from './here.js';
import { type Served, served } from './server.js';

const postern = theCommandHere();
const TOKEN = /^pst_[0-9A-Za-z]{49}\n$/;
let databases = 0;
let server: Served;

beforeEach(async () => {
  server = await served(postern, `server-${databases++}.db`);
});

function run(args: readonly string[], input?: string) {
  return postern.run(args, { env: server.env, ...(input !== undefined && { input }) });
}

/** The printed JSON of a command. */
async function json(args: readonly string[], input?: string) {
  const ended = await run([...args, '-o', 'json'], input);
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
  return JSON.parse(ended.stdout);
}

describe('the command against a server', () => {
  it('runs endpoint create, list, update, preview and delete', async () => {
    expect(await json(['endpoint', 'create', 'summarizer'])).toMatchObject({ access: 'protected' });
    const exists = await run(['endpoint', 'create', 'summarizer']);
    expect(exists).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('is already registered') });
    expect(await json(['endpoint', 'list'])).toMatchObject([{ id: 'demo' }, { id: 'summarizer' }]);
    const { uid } = await json(['api-token', 'create', '--name', 'reader', '--endpoint', 'summarizer']);
    expect(await json(['endpoint', 'preview', 'summarizer', '--access', 'private'])).toEqual({
      from: 'protected',
      to: 'private',
      open_to_anyone: false,
      gain_count: 0,
      lose_count: 1,
      more: false,
      gain: [],
      lose: [{ uid, name: 'reader', owner: 'admin', last_used_at: null }],
    });
    const updated = await json(['endpoint', 'update', 'summarizer', '--access', 'public']);
    expect(updated).toMatchObject({ id: 'summarizer', access: 'public', organization: 'default' });
    const deleted = await run(['endpoint', 'delete', 'summarizer', '--yes']);
    expect(deleted).toEqual({ code: 0, stdout: 'Deleted summarizer\n', stderr: '' });
    const gone = await run(['endpoint', 'update', 'summarizer', '--access', 'public']);
    expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no endpoint "summarizer"') });
  });

  it('runs api-token create, list, get, verify, explain, update, rotate, usage, revoke and delete', async () => {
    const created = await run([
      ...['api-token', 'create', '--name', 'ci', '--description', 'nightly', '--label', 'team=nlp'],
      ...['--scope', 'models:write', '--endpoint', 'demo', '--expires-in', '90d'],
    ]);
    expect(created).toMatchObject({ code: 0, stdout: expect.stringMatching(TOKEN) });
    const token = created.stdout.trim();
    expect(created.stderr).toContain(`postern login --endpoint ${server.url} --api-token`);
    expect(created.stderr).not.toContain(token);

    const listed = await json(['api-token', 'list', '--search', 'nightly']);
    expect(listed).toHaveLength(1);
    const { uid } = listed[0];
    expect(await json(['api-token', 'get', uid])).toEqual({
      ...listed[0],
      limits: [],
      secrets: [{ created_at: listed[0].created_at, ends_at: null }],
    });
    expect(listed[0]).toMatchObject({
      name: 'ci',
      description: 'nightly',
      status: 'active',
      types: { user: { endpoints: ['demo'] }, developer: { scopes: ['models:write'] } },
      organization: 'default',
      owner: 'admin',
      ownership: 'personal',
      hint: `${token.slice(0, 8)}…${token.slice(-4)}`,
      labels: { team: 'nlp' },
      revoked_at: null,
      last_used_at: null,
    });

    expect((await server.call('GET', '/demo/call', { token })).status).toBe(200);
    expect(await json(['verify'], token)).toEqual({
      active: true,
      reason: null,
      limits: [],
      uid,
      owner: 'admin',
      organization: 'default',
      scopes: ['models:write', 'models:read'],
      endpoints: ['demo'],
      dead_endpoints: [],
      expired_at: expect.stringMatching(/Z$/),
    });
    expect(await json(['explain', '--endpoint', 'demo'], token)).toMatchObject({ allowed: true, reason: null });
    const denied = await run(['explain', '--scope', 'iam:write'], token);
    expect(denied).toMatchObject({ code: 1, stderr: '', stdout: expect.stringContaining('Denied: scope_missing') });
    const nobody = await run(['explain', '--no-token', '--endpoint', 'demo']);
    expect(nobody).toMatchObject({ code: 1, stdout: expect.stringContaining('Denied: token_missing') });

    const changes = ['--name', 'ci 2', '--scope', 'models:read', '--expires-in', 'never', '--no-labels'];
    expect(await json(['api-token', 'update', uid, ...changes])).toMatchObject({
      name: 'ci 2',
      description: 'nightly',
      types: { developer: { scopes: ['models:read'] } },
      expired_at: null,
      labels: {},
    });

    const rotated = await run(['api-token', 'rotate', uid]);
    expect(rotated).toMatchObject({ code: 0, stdout: expect.stringMatching(TOKEN) });
    expect(await run(['verify'], token)).toMatchObject({
      code: 1,
      stdout: 'The token is not valid (postern explain --authenticated says why).\n',
    });
    expect(await json(['verify'], rotated.stdout)).toMatchObject({ active: true, uid });

    await run(['api-token', 'revoke', uid]);
    expect(await json(['api-token', 'get', uid])).toMatchObject({ status: 'revoked' });
    expect(await run(['verify'], rotated.stdout)).toMatchObject({ code: 1 });
    const deleted = await run(['api-token', 'delete', uid, '--yes']);
    expect(deleted).toEqual({ code: 0, stdout: `Deleted ${uid}\n`, stderr: '' });
    for (const words of [['get'], ['rotate'], ['revoke'], ['delete', '--yes'], ['update', '--name', 'x'], ['usage']]) {
      const [command = '', ...rest] = words;
      const gone = await run(['api-token', command, uid, ...rest]);
      expect(gone, command).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('there is no token'),
      });
    }
  });

  it('shows the uses of a token', async () => {
    const created = await json(['api-token', 'create', '--name', 'caller', '--endpoint', 'demo']);
    await server.call('GET', '/demo', { token: created.token });
    // Uses are written in batches, and a server that ends writes the rest.
    server.process.signal('SIGTERM');
    expect(await server.process.ended).toMatchObject({ code: 0 });
    const store = ['--store', `sqlite:server-${databases - 1}.db`, '-o', 'json'];
    const uses = JSON.parse((await postern.run(['api-token', 'usage', created.uid, ...store])).stdout);
    expect(uses).toEqual([{ endpoint: 'demo', count: 1, last_used_at: expect.any(String) }]);
  });

  it('prints the same keys of a token, an endpoint and a preview as on a store', async () => {
    const store = ['--store', `sqlite:server-${databases - 1}.db`];
    const { token: _, ...created } = await json(['api-token', 'create', '--name', 'same', '--endpoint', 'demo']);
    const { uid } = created;
    for (const command of [
      ['api-token', 'get', uid],
      ['api-token', 'list'],
      ['api-token', 'usage', uid],
      ['endpoint', 'list'],
      ['endpoint', 'preview', 'demo', '--access', 'private'],
    ]) {
      expect(await json(command), command.join(' ')).toEqual(await json([...command, ...store]));
    }
    expect(await json(['api-token', 'get', uid])).toEqual({
      ...created,
      limits: [],
      secrets: [{ created_at: created.created_at, ends_at: null }],
    });
  });

  it('lists page by page, and says if there is more', async () => {
    for (let index = 0; index < 105; index++) {
      const body = { name: `token ${index}`, types: { user: { endpoints: '*' } } };
      expect((await server.call('POST', '/api/v1/api_tokens', { body })).status).toBe(200);
    }
    expect(await json(['api-token', 'list', '--all'])).toHaveLength(106);
    const some = await run(['api-token', 'list', '--limit', '103', '-o', 'yaml']);
    expect(parse(some.stdout)).toHaveLength(103);
    expect(some.stderr).toBe('There are more than these 103: --all shows them, --search finds some.\n');
    expect(await json(['api-token', 'list', '--type', 'developer'])).toMatchObject([{ name: 'bootstrap' }]);
    expect(await json(['api-token', 'list', '--ownership', 'organization'])).toEqual([]);
  });

  it('runs whoami', async () => {
    const expected = { user: 'admin', email: 'admin', organization: 'default' };
    expect(await json(['whoami'])).toEqual({ ...expected, context: '(environment)', endpoint: server.url });
    // The server knows no address, and says the name in its place.
    expect((await run(['whoami'])).stdout).not.toMatch(/Email|Owner/);
    const wrong = { env: { ...server.env, POSTERN_API_TOKEN: `pst_${'a'.repeat(49)}` } };
    expect(await postern.run(['whoami'], wrong)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^postern: \S+ does not take this token \(.+\)\. Log in again, with postern login\.\n$/,
      ),
    });
  });

  it('runs audit list with its filters', async () => {
    await run(['endpoint', 'create', 'summarizer']);
    const { uid } = await json(['api-token', 'create', '--name', 'ci', '--scope', 'models:read']);
    await run(['api-token', 'revoke', uid]);
    const actions = async (...words: readonly string[]) =>
      (await json(['audit', 'list', ...words])).map(({ type }: { type: string }) => type);
    expect(await actions('--subject', uid)).toEqual(['token.revoked', 'token.created']);
    expect(await actions('--action', 'endpoint.created')).toHaveLength(2);
    expect(await actions('--actor', 'admin')).toEqual(['token.revoked', 'token.created', 'endpoint.created']);
    expect(await actions('--actor', 'admin', '--limit', '1')).toEqual(['token.revoked']);
    expect((await actions('--actor', 'application')).sort()).toEqual(['endpoint.created', 'token.created']);
    expect(await actions('--since', '1h')).toHaveLength(5);
    expect(await actions('--until', '1h')).toEqual([]);
    const { stdout } = await run(['audit', 'ls', '--subject', uid]);
    expect(stdout).toMatch(
      new RegExp(`^WHEN +ACTION +SUBJECT +NAME +ACTOR +FROM\n.+ token\\.revoked +${uid} +ci +admin +127`),
    );
  });

  it('explains a missing right of its token', async () => {
    const reader = await json(['api-token', 'create', '--name', 'reader', '--scope', 'iam:read']);
    const user = await json(['api-token', 'create', '--name', 'user', '--all-endpoints']);
    const asReader = { env: { ...server.env, POSTERN_API_TOKEN: reader.token } };
    const refused = await postern.run(['api-token', 'create', '--name', 'x', '--scope', 'iam:read'], asReader);
    expect(refused).toEqual({
      code: 1,
      stdout: '',
      stderr: `postern: ${server.url} refused: You need the scope iam:write to manage tokens. Use a token that may do this.\n`,
    });
    const asUser = { env: { ...server.env, POSTERN_API_TOKEN: user.token } };
    expect(await postern.run(['api-token', 'list'], asUser)).toMatchObject({ code: 1, stdout: '' });
    const unknown = await run(['api-token', 'create', '--name', 'x', '--scope', 'models:fly']);
    expect(unknown).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('models:fly') });
    expect(unknown.stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
