import { once } from 'node:events';
import { createPostern } from 'postern';
import type { Store } from 'postern/store';
import { expect } from 'vitest';
import { startProgram } from '../support/programs.js';

const ROUNDS = 4;
/** What one writer does at once. */
const LANES = 4;

/** A database, looked into past the store. */
interface Looked {
  /** The number of rows of a FROM clause with the tables' own names. */
  count(from: string): Promise<number>;
  /** The name of a table. */
  table(name: string): string;
}

/**
 * Kills writers at random points, several times on the same database. Every change that one of them had confirmed must be there, and none
 * may be there in part.
 *
 * @param options those of the store, as JSON can hold them
 */
export async function killWriters(
  database: 'mysql' | 'postgres' | 'sqlite',
  options: object,
  open: () => Store,
  { count, table }: Looked,
): Promise<void> {
  const printed = { created: new Set<string>(), revoked: new Set<string>(), entered: new Set<string>() };
  for (let round = 0; round < ROUNDS; round++) {
    const child = startProgram('test/faults/writer.ts', [database, JSON.stringify(options)], { stderr: 'inherit' });
    // The kill comes at a random point after this many confirmations.
    let left = 40 + Math.floor(Math.random() * 100);
    let output = '';
    child.stdout?.setEncoding('latin1').on('data', (chunk: string) => {
      output += chunk;
      left -= chunk.split('\n').length - 1;
      if (left <= 0) child.kill('SIGKILL');
    });
    const [, signal] = await once(child, 'close');
    expect(signal).toBe('SIGKILL');
    // A last line without its end was not read completely.
    for (const line of output.split('\n').slice(0, -1)) {
      const [what, token] = line.split(' ') as [keyof typeof printed, string];
      printed[what].add(token);
    }
  }
  const { created, revoked, entered } = printed;
  expect(created.size).toBeGreaterThan(ROUNDS * 20);
  expect(revoked.size).toBeGreaterThan(0);
  expect(entered.size).toBeGreaterThan(0);

  const store = open();
  const postern = createPostern({ store });
  let unconfirmed = 0;
  for (const token of created) {
    const answer = await postern.authenticate(token);
    // The last token of each lane may be revoked without a confirmation that was read.
    if (revoked.has(token)) expect(answer).toEqual({ ok: false, reason: 'token_revoked' });
    else if (!answer.ok && answer.reason === 'token_revoked') unconfirmed++;
    else expect(answer.ok).toBe(true);
  }
  expect(unconfirmed).toBeLessThanOrEqual(ROUNDS * LANES);
  for (const id of entered) expect(await store.findEntry('login', id, Date.now())).toMatchObject({ id, version: 1 });
  const counted = await store.countTokens({ organization: null }, 1_000_000);
  await postern.close();

  const [tokens, secrets, changes] = [table('tokens'), table('secrets'), table('changes')];
  const made = await count(tokens);
  expect(await count(`${changes} WHERE type = 'token.created'`)).toBe(made);
  expect(counted).toBe(made);
  expect(await count(`${tokens} t WHERE NOT EXISTS (SELECT 1 FROM ${secrets} s WHERE s.token = t.seq)`)).toBe(0);
  expect(await count(secrets)).toBe(made + (await count(`${changes} WHERE type = 'token.rotated'`)));
  expect(await count(`${tokens} WHERE revoked_at IS NOT NULL`)).toBe(
    await count(`${changes} WHERE type = 'token.revoked'`),
  );
}
