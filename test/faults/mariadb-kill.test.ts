import { once } from 'node:events';
import { createPostern } from 'postern';
import { mysqlStore } from 'postern/stores/mysql';
import { expect, it } from 'vitest';
import { startChild } from '../stores/child.js';
import { aDatabase, ask } from '../stores/mariadb-server.js';
import { useMariadb } from '../support/mariadb-server.js';

const server = await useMariadb();
const ROUNDS = 4;
const LANES = 4;

it('changes that a killed process had confirmed are all in MariaDB, and no change is half there', async () => {
  const uri = await aDatabase(server);
  const created = new Set<string>();
  const revoked = new Set<string>();
  const entered = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const child = startChild('../faults/mariadb-writer.ts', [uri]);
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
      const [what, token] = line.split(' ') as [string, string];
      (what === 'revoked' ? revoked : what === 'entered' ? entered : created).add(token);
    }
  }
  expect(created.size).toBeGreaterThan(ROUNDS * 20);
  expect(revoked.size).toBeGreaterThan(0);
  expect(entered.size).toBeGreaterThan(0);
  const store = mysqlStore({ uri });
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
  const count = async (text: string) => Number((await ask(uri, `SELECT count(*) AS n FROM ${text}`))[0]?.n);
  const [tokens, creations] = [
    await count(`postern_tokens`),
    await count(`postern_changes WHERE type = 'token.created'`),
  ];
  expect(creations).toBe(tokens);
  expect(counted).toBe(tokens);
  expect(await count(`postern_tokens t WHERE NOT EXISTS (SELECT 1 FROM postern_secrets s WHERE s.token = t.seq)`)).toBe(
    0,
  );
  const rotations = await count(`postern_changes WHERE type = 'token.rotated'`);
  expect(await count(`postern_secrets`)).toBe(tokens + rotations);
  expect(await count(`postern_tokens WHERE revoked_at IS NOT NULL`)).toBe(
    await count(`postern_changes WHERE type = 'token.revoked'`),
  );
});
