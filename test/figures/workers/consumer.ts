import { Redis } from 'ioredis';
import pg from 'pg';
import { postgresRateLimiter, redisRateLimiter } from 'postern/limits';
import { openPostern, REQUIREMENT } from '../lib/stores.js';
import { answer } from '../lib/workers.js';

/** One of several processes that use one token as fast as its limit lets them, and beyond. */
const [name, address, token] = process.argv.slice(2) as ['postgres' | 'redis', string, string];
const AT_ONCE = 4;

const pool = name === 'postgres' ? new pg.Pool({ connectionString: address, max: AT_ONCE }) : null;
const client = name === 'redis' ? new Redis(address) : null;
const rateLimiter = pool === null ? redisRateLimiter({ client: client as Redis }) : postgresRateLimiter({ pool });
const postern = openPostern(name, address, { rateLimiter });
const requirement = Object.freeze(REQUIREMENT);

/** A call that was let through: when it began and ended, and what its window had left. Epoch milliseconds. */
interface Use {
  readonly begun: number;
  readonly ended: number;
  readonly remaining: number;
  readonly resetIn: number;
}

async function consume(until: number) {
  const uses: Use[] = [];
  const others: Record<string, number> = {};
  const loop = async () => {
    while (Date.now() < until) {
      const begun = Date.now();
      const decision = await postern.authorize({ token, requirement });
      const ended = Date.now();
      if (decision.allowed) {
        const { remaining, resetIn } = decision.limit ?? { remaining: Number.NaN, resetIn: Number.NaN };
        uses.push({ begun, ended, remaining, resetIn });
      } else others[decision.reason] = (others[decision.reason] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, loop));
  return { uses, others };
}

answer({ consume }, async () => {
  await postern.close();
  await pool?.end();
  client?.disconnect();
});
