import * as mariadb from 'mariadb';
import { createPool } from 'mysql2/promise';
import { mysqlStore } from 'postern/stores/mysql';
import { testStore } from 'postern/testing';
import { afterAll, describe } from 'vitest';
import { useMariadb } from '../support/mariadb-server.js';
import { aDatabase, aPrefix, ask } from './mariadb-server.js';
import { emptyingPrefix, onePlace } from './one-place.js';
import { testRow } from './table.js';

const server = await useMariadb();

describe('on a real MariaDB', async () => {
  const uri = await aDatabase(server);
  const empty = (prefix: string) => ask(uri, emptyingPrefix(prefix));
  testRow({
    database: 'MariaDB',
    driver: '`mysql2`, `mysqlStore`',
    polls: '500 ms',
    place: aPrefix,
    empty,
    open: (prefix, migrate) => mysqlStore({ uri, prefix, migrate }),
  });

  // What an application may bring along: its pool, and another form of rows, numbers and parameters.
  const pool = createPool({
    uri,
    rowsAsArray: true,
    namedPlaceholders: true,
    bigNumberStrings: true,
    supportBigNumbers: true,
  });
  const { port } = server;
  const other = mariadb.createPool({
    host: '127.0.0.1',
    port,
    user: 'root',
    database: new URL(uri).pathname.slice(1),
    rowsAsArray: true,
  });
  afterAll(() => Promise.all([pool.end(), other.end()]));
  const place = onePlace(aPrefix, empty);
  testStore("mysqlStore on an application's pool of mysql2", async () => mysqlStore({ pool, prefix: await place() }));
  testRow({
    database: 'MariaDB',
    driver: '`mariadb`, `mysqlStore`',
    polls: '500 ms',
    place: aPrefix,
    empty,
    open: (prefix, migrate) => mysqlStore({ pool: other, prefix, migrate }),
  });
});
