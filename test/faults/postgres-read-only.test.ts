import pg from 'pg';
import { createPostern } from 'postern';
import { postgresStore } from 'postern/stores/postgres';
import { afterEach, describe, expect, it } from 'vitest';
import { aChange, aToken, insert, next, replace } from '../../src/testing/store-cases/case.js';
import { aDatabase, ask } from '../stores/postgres-server.js';
import { usePostgres } from '../support/services.js';

const server = await usePostgres();
const types = { developer: { scopes: ['models:write'] } } as const;
const POOL = 4;

/** A failover as sessions see it. Sessions that begin during it stay read-only, and stay in the pool. */
describe('sessions of PostgreSQL that were opened while it was read-only', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  async function aStore(listen?: false) {
    const url = await aDatabase(server);
    const pool = new pg.Pool({ connectionString: url, max: POOL });
    const store = postgresStore({ pool, heartbeat: '1m', ...(listen === false && { listen }) });
    closing.push(
      () => pool.end(),
      () => store.close(),
    );
    await store.migrate();
    const readOnly = (on: boolean) =>
      ask(server.url(), `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = ${on}`);
    /** Fills the pool with new sessions. */
    const refill = async () => {
      const clients = await Promise.all(Array.from({ length: POOL }, () => pool.connect()));
      for (const client of clients) client.release(true);
      await Promise.all(Array.from({ length: POOL * 5 }, () => store.findToken('x')));
    };
    return { url, pool, store, readOnly, refill };
  }

  it('fail no write once it takes writes again, also in a pool full of them', async () => {
    const { store, pool, readOnly, refill } = await aStore(false);
    const token = await insert(store, aToken('t1'));
    await readOnly(true);
    await refill();
    expect(pool.idleCount).toBe(POOL);
    await readOnly(false);
    expect(await replace(store, next(token), 1)).toBe(true);
    expect(await store.revokeToken('t1', 5, aChange('token.revoked', 't1'))).toBe(true);
    expect(await store.findToken('t1')).toMatchObject({ revokedAt: 5, version: 3 });
    expect(await store.listChanges({ organization: null, subject: 't1', limit: 10 })).toHaveLength(3);
  });

  it('fail no write among many concurrent ones', async () => {
    const { store, readOnly, refill } = await aStore(false);
    await readOnly(true);
    await refill();
    await readOnly(false);
    await Promise.all(Array.from({ length: 20 }, (_, index) => insert(store, aToken(`t${index}`))));
    expect(await store.countTokens({ organization: null }, 100)).toBe(20);
  });

  it('answer reads, and writes meanwhile are refused as unavailable and not made', async () => {
    const { store, readOnly, refill } = await aStore(false);
    const postern = createPostern({ store, cache: false });
    const { token, record } = await postern.tokens.create({ name: 'ci', types });
    await readOnly(true);
    await refill();
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(postern.tokens.revoke(record.id)).rejects.toMatchObject({ code: 'unavailable' });
      expect(await postern.authenticate(token)).toMatchObject({ ok: true });
    }
    await readOnly(false);
    await postern.tokens.revoke(record.id);
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
  });

  it('a session in a failed transaction is not used again, and fails no call', async () => {
    const { store, pool } = await aStore(false);
    await insert(store, aToken('t1'));
    await Promise.all(Array.from({ length: POOL * 5 }, () => store.findToken('x')));
    const clients = await Promise.all(Array.from({ length: POOL }, () => pool.connect()));
    for (const client of clients) {
      await client.query('BEGIN');
      await expect(client.query('SELECT 1/0')).rejects.toThrow();
      client.release();
    }
    expect(await store.findToken('t1')).toMatchObject({ id: 't1' });
    expect(await store.revokeToken('t1', 5, aChange('token.revoked', 't1'))).toBe(true);
  });
});
