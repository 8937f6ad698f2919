import { createPostern } from 'postern';
import { mysqlStore } from 'postern/stores/mysql';
import { postgresStore } from 'postern/stores/postgres';
import { sqliteStore } from 'postern/stores/sqlite';

/** Makes tokens and entries until it is killed. Prints each acknowledged one, with the secret after its rotation. */
const [database, options] = process.argv.slice(2) as [keyof typeof STORES, string];
const STORES = { mysql: mysqlStore, postgres: postgresStore, sqlite: sqliteStore };
const store = STORES[database](JSON.parse(options));
const postern = createPostern({ store });
const types = { developer: { scopes: ['models:write'] } } as const;

async function write(lane: number): Promise<never> {
  for (let index = 0; ; index++) {
    const { token, record } = await postern.tokens.create({ name: `token ${lane} ${index}`, types });
    process.stdout.write(`created ${token}\n`);
    if (index % 3 === 0) {
      const entry = { kind: 'login', id: record.id, value: `${lane} ${index}`, expiresAt: null, version: 1 };
      if (await store.putEntry(entry, 0, Date.now())) process.stdout.write(`entered ${record.id}\n`);
    }
    if (index % 3 === 1) {
      const rotated = await postern.tokens.rotate(record.id, { grace: '1d' });
      process.stdout.write(`created ${rotated.token}\n`);
    }
    if (index % 3 === 2) {
      await postern.tokens.revoke(record.id);
      process.stdout.write(`revoked ${token}\n`);
    }
  }
}

await Promise.all(Array.from({ length: 4 }, (_, lane) => write(lane)));
