import { mysqlStore } from 'postern/stores/mysql';
import { it } from 'vitest';
import { aDatabase, ask } from '../stores/mariadb-server.js';
import { useMariadb } from '../support/mariadb-server.js';
import { killWriters } from './kill.js';

const server = await useMariadb();

it('changes that a killed process had confirmed are all in MariaDB, and no change is half there', async () => {
  const uri = await aDatabase(server);
  await killWriters('mysql', { uri }, () => mysqlStore({ uri }), {
    table: (name) => `postern_${name}`,
    count: async (from) => Number((await ask(uri, `SELECT count(*) AS n FROM ${from}`))[0]?.n),
  });
});
