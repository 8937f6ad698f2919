import { randomBytes } from 'node:crypto';
import { SECRET_BYTES } from '../../../src/domain/token-format.js';
import { openPostern, type StoreName, TYPES } from '../lib/stores.js';
import { answer } from '../lib/workers.js';

/**
 * Makes tokens, several at a time, until it is killed. Prints a line with each secret before the token is made, and one
 * when its creation was acknowledged: writing to a pipe is synchronous, so what happened was printed.
 */
const [name, address, atOnce] = process.argv.slice(2) as [StoreName, string, string];

const postern = openPostern(name, address, {
  random(length) {
    const bytes = randomBytes(length);
    if (length === SECRET_BYTES) process.stdout.write(`tries ${bytes.toString('hex')}\n`);
    return new Uint8Array(bytes);
  },
});

async function create(): Promise<never> {
  for (;;) {
    const { token, record } = await postern.tokens.create({ name: 'killed', types: TYPES });
    process.stdout.write(`made ${token} ${record.id}\n`);
  }
}

answer(
  {
    begin() {
      for (let index = 0; index < Number(atOnce); index++) void create();
    },
  },
  () => postern.close(),
);
