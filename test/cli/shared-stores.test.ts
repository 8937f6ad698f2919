import { describe, expect, it } from 'vitest';
import { aDatabase } from '../stores/mariadb-server.js';
import { testDirectory } from '../stores/sqlite-files.js';
import { useMariadb } from '../support/mariadb-server.js';
import { useRedis } from '../support/redis-server.js';
import { usePostgres } from '../support/services.js';
import { theCommand } from './command.js';
import { theCommandHere } from './here.js';

const postgres = await usePostgres();
const redis = await useRedis(['--save', '']);
const mariadb = await useMariadb();
const postern = theCommand();
const here = theCommandHere();

describe.each([
  ['PostgreSQL', postgres.url(), 'postern_cli'],
  ['MariaDB', await aDatabase(mariadb), 'postern_cli_'],
  ['Redis', redis.url, 'cli'],
  ['SQLite', `sqlite:${testDirectory().aFile()}`, 'cli_'],
] as const)('the command on %s', (name, url, namespace) => {
  const store = ['--store', url, '--namespace', namespace];

  it('migrates, after a dry run', async () => {
    const planned = await here.run(['migrate', '--dry-run', ...store, '-o', 'json']);
    expect(planned, planned.stderr).toMatchObject({ code: 0 });
    const { from, statements } = JSON.parse(planned.stdout);
    expect(from).toBe(0);
    if (name === 'PostgreSQL') expect(statements.join('\n')).toContain('"postern_cli"');
    const done = await here.run(['migrate', ...store]);
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining(': made, version') });
    const again = await here.run(['migrate', ...store]);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do') });
  });

  it('serves with one bootstrap token if several start together', async () => {
    const all = Array.from({ length: 3 }, () => postern.start(['serve', '--port', '0', ...store]));
    const urls = await Promise.all(all.map(async (each) => (await each.until(/^Listening on (\S+)\n/))[1] as string));
    const [, token = ''] = await Promise.any(all.map((each) => each.until(/Bootstrap token: (\S+)\n/)));
    for (const each of urls) {
      const answer = await fetch(`${each}/api/v1/api_tokens`, { headers: { authorization: `Bearer ${token}` } });
      expect(await answer.json()).toMatchObject({ total: 1, items: [{ name: 'bootstrap' }] });
    }
    for (const each of all) each.signal('SIGTERM');
    const ended = await Promise.all(all.map((each) => each.ended));
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(
      ended
        .map(({ stdout }) => stdout)
        .join('')
        .match(/Bootstrap token: /g),
    ).toHaveLength(1);
  });

  it('works on the store beside a server, which hears of its changes', async () => {
    const server = postern.start(['serve', '--port', '0', ...store]);
    const [, address = ''] = await server.until(/^Listening on (\S+)\n/);
    const created = await here.run(['api-token', 'create', '--name', 'caller', '--endpoint', 'demo', ...store]);
    expect(created, created.stderr).toMatchObject({ code: 0 });
    const call = async () => {
      const headers = { authorization: `Bearer ${created.stdout.trim()}` };
      return (await fetch(`${address}/demo`, { headers })).status;
    };
    expect(await call()).toBe(200);
    const listed = await here.run(['api-token', 'list', '--search', 'caller', ...store, '-o', 'json']);
    const [{ uid }] = JSON.parse(listed.stdout);
    expect((await postern.run(['api-token', 'revoke', uid, ...store])).code).toBe(0);
    await expect.poll(call).toBe(401);
  });
});
