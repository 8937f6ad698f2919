import { createPostern } from 'postern';
import type { MirrorAnswer } from 'postern/store';
import { mysqlStore } from 'postern/stores/mysql';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { useMariadb } from '../support/mariadb-server.js';
import { verdict } from '../support/outcomes.js';
import { aDatabase, aPrefix } from './mariadb-server.js';

const server = await useMariadb();
const types = { developer: { scopes: ['models:read'] } } as const;
const read = { scope: 'models:read' } as const;

it('MariaDB answers as a reader with its marks, and a revocation by another process is seen', async () => {
  const [uri, prefix] = [await aDatabase(server), aPrefix()];
  const primary = createPostern({ store: mysqlStore({ uri, prefix }) });
  // Without a replica: the reader is the server itself, under another connection.
  const store = mysqlStore({ uri, prefix, pollInterval: '20ms', reader: { uri, maxLag: '5s' } });
  const near = createPostern({ store, cache: { ttl: '1ms' } });
  onTestFinished(() => Promise.all([primary.close(), near.close()]).then(() => {}));
  const answers: MirrorAnswer[] = [];
  store.mirror?.watch({ used: () => {}, answered: (by) => answers.push(by) });
  const { token, record } = await primary.tokens.create({ name: 'x', types });
  const asked = async () => {
    answers.length = 0;
    return [verdict(await near.authorize({ token, requirement: read })), ...answers];
  };
  await eventually(async () => expect(await asked()).toEqual(['allowed', 'replica']));
  await primary.tokens.revoke(record.id);
  await eventually(async () => expect(await asked()).toEqual(['token_revoked', 'replica']));
});
