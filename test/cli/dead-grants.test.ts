import { describe, expect, it } from 'vitest';
import { theCommandHere } from './here.js';
import { served } from './server.js';

const postern = theCommandHere();

/** The target of the command: a store, or a server in front of one. */
const PLACES = [
  [
    'a store',
    async () => {
      const args = ['--store', 'sqlite:dead-grants.db'];
      expect(await postern.run(['migrate', ...args])).toMatchObject({ code: 0 });
      return { args, env: {} };
    },
  ],
  ['a server', async () => ({ args: [], env: (await served(postern, 'dead-grants-server.db')).env })],
] as const;

describe.each(PLACES)('a grant of a deleted endpoint, on %s', (_, place) => {
  it('is marked by list, get and verify, renewed by an update that names it, and dropped by one that does not', async () => {
    const { args, env } = await place();
    const run = async (command: readonly string[], input?: string) => {
      const ended = await postern.run([...command, ...args], { env, ...(input !== undefined && { input }) });
      expect(ended, ended.stderr).toMatchObject({ code: 0 });
      return ended.stdout;
    };
    const json = async (command: readonly string[], input?: string) =>
      JSON.parse(await run([...command, '-o', 'json'], input));
    const remade = async (id: string) => {
      await run(['endpoint', 'delete', id, '--yes']);
      await run(['endpoint', 'create', id]);
    };
    for (const id of ['a', 'b']) await run(['endpoint', 'create', id]);
    const token = (await run(['api-token', 'create', '--name', 'caller', '--endpoint', 'a', '--endpoint', 'b'])).trim();
    const { uid, dead_grants: none } = await json(['verify'], token).then(({ uid }) => json(['api-token', 'get', uid]));
    expect(none).toEqual([]);
    await remade('a');

    const dead_grants = [{ type: 'user', endpoint: 'a' }];
    expect(await json(['api-token', 'get', uid])).toMatchObject({
      types: { user: { endpoints: ['a', 'b'] } },
      dead_grants,
    });
    expect(await run(['api-token', 'get', uid])).toMatch(/^Grants: +user: a \(deleted\), b$/m);
    expect(await run(['api-token', 'list', '--search', 'caller'])).toContain('user: a (deleted), b');
    expect(await json(['verify'], token)).toMatchObject({ active: true, endpoints: ['b'], dead_endpoints: ['a'] });
    expect(await run(['verify'], token)).toMatch(/^Endpoints: +b, a \(deleted\)$/m);

    expect(await json(['api-token', 'update', uid, '--name', 'renamed'])).toMatchObject({ dead_grants });
    const renewed = await json(['api-token', 'update', uid, '--endpoint', 'a', '--endpoint', 'b']);
    expect(renewed).toMatchObject({ types: { user: { endpoints: ['a', 'b'] } }, dead_grants: [] });
    await remade('a');
    const dropped = await json(['api-token', 'update', uid, '--endpoint', 'b']);
    expect(dropped).toMatchObject({ types: { user: { endpoints: ['b'] } }, dead_grants: [] });
  });
});
