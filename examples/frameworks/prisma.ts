/**
 * Prisma, with tables of postern in its schema. The models come from the command:
 *
 *   postern schema --prisma --dialect sqlite >> prisma/schema.prisma
 *   npx prisma generate
 *
 * An order and the token that belongs to it are made in one transaction. Then Prisma reads both, with a relation of its own.
 */
import { PrismaLibSql } from '@prisma/adapter-libsql';
import { createPostern } from 'postern';
import { fromPrisma, sqlStore } from 'postern/stores/sql';
import { PrismaClient } from './client/client.js';

const prisma = new PrismaClient({ adapter: new PrismaLibSql({ url: process.env.DATABASE_URL ?? 'file:shop.db' }) });
await prisma.$executeRawUnsafe('CREATE TABLE IF NOT EXISTS "Order" (id TEXT PRIMARY KEY, "tokenId" TEXT NOT NULL)');

const store = sqlStore({ driver: fromPrisma(prisma, 'sqlite') });
const postern = createPostern({ store });
await store.migrate();

/** Sells access to the models. @returns the secret, which the customer sees once */
async function placeOrder(id: string, customer: string): Promise<string> {
  const { token, committed } = await prisma.$transaction(async (tx) => {
    const made = await postern.tokens.create(
      { name: id, owner: customer, types: { developer: { scopes: ['models:read'] } } },
      { within: tx },
    );
    await tx.order.create({ data: { id, tokenId: made.record.id } });
    return made;
  });
  await committed();
  return token;
}

async function show(what: string): Promise<void> {
  console.log(`${what}: orders ${await prisma.order.count()}, tokens ${await prisma.posternTokens.count()}`);
}

const token = await placeOrder('order-1', 'ann');
await show('after an order');
const { allowed } = await postern.authorize({ token, requirement: { scope: 'models:read' } });
console.log(`its token is allowed: ${allowed}`);

// The same order again. The second row is refused, after its token was made.
await placeOrder('order-1', 'ann').catch(() => console.log('the same order again: refused'));
await show('after it');

const [order] = await prisma.order.findMany();
const sold = await prisma.posternTokens.findUnique({ where: { id: order?.tokenId ?? '' } });
console.log(`${order?.id} has the token of ${sold?.owner}`);

await postern.close();
await prisma.$disconnect();
