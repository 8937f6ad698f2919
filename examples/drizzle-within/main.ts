/**
 * An order and the token that belongs to it, in one transaction of Drizzle: both are written, or neither. The database is PGlite,
 * so no server is needed.
 *
 *   npx tsx examples/drizzle-within/main.ts
 */
import { PGlite } from '@electric-sql/pglite';
import { count, sql } from 'drizzle-orm';
import { pgTable, text } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/pglite';
import { createPostern } from 'postern';
import { fromDrizzle, sqlStore } from 'postern/stores/sql';

const orders = pgTable('orders', { id: text().primaryKey(), customer: text().notNull(), tokenId: text().notNull() });

const client = await PGlite.create();
const db = drizzle({ client });
await db.execute(sql`CREATE TABLE orders (id text PRIMARY KEY, customer text NOT NULL, "tokenId" text NOT NULL)`);

const store = sqlStore({ driver: fromDrizzle(db, sql, 'postgres') });
const postern = createPostern({ store });
// PGlite has one connection: the tables must be there before a transaction takes it.
await store.migrate();

/** Sells access to the models. @returns the secret, which the customer sees once */
async function placeOrder(id: string, customer: string): Promise<string> {
  const { token, committed } = await db.transaction(async (tx) => {
    const made = await postern.tokens.create(
      { name: id, owner: customer, types: { developer: { scopes: ['models:read'] } } },
      { within: tx },
    );
    await tx.insert(orders).values({ id, customer, tokenId: made.record.id });
    return made;
  });
  await committed();
  return token;
}

async function show(what: string): Promise<void> {
  const [row] = await db.select({ count: count() }).from(orders);
  const { count: tokens } = await postern.tokens.count();
  console.log(`${what}: orders ${row?.count}, tokens ${tokens}`);
}

const token = await placeOrder('order-1', 'ann');
await show('after an order');
const { allowed } = await postern.authorize({ token, requirement: { scope: 'models:read' } });
console.log(`its token is allowed: ${allowed}`);

// The same order again. The second row is refused, after its token was made.
await placeOrder('order-1', 'ann').catch(() => console.log('the same order again: refused'));
await show('after it');

await postern.close();
await client.close();
