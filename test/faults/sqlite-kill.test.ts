import { once } from 'node:events';
import { createPostern } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';
import { expect, it } from 'vitest';
import { startChild } from '../stores/child.js';
import { ask, testDirectory } from '../stores/sqlite-files.js';

const { aFile } = testDirectory();
const ROUNDS = 5;

it('changes that a killed process had confirmed are all in SQLite', async () => {
  const file = aFile();
  const created = new Set<string>();
  const revoked = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const child = startChild('../faults/sqlite-writer.ts', [file]);
    // The kill comes at a random point after this many confirmations.
    let left = 20 + Math.floor(Math.random() * 60);
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
      (what === 'revoked' ? revoked : created).add(token);
    }
  }
  expect(created.size).toBeGreaterThan(ROUNDS * 10);
  expect(revoked.size).toBeGreaterThan(0);
  const postern = createPostern({ store: sqliteStore({ filename: file }) });
  let unconfirmed = 0;
  for (const token of created) {
    const answer = await postern.authenticate(token);
    // The last token of each round may be revoked without a confirmation that was read.
    if (revoked.has(token)) expect(answer).toEqual({ ok: false, reason: 'token_revoked' });
    else if (!answer.ok && answer.reason === 'token_revoked') unconfirmed++;
    else expect(answer.ok).toBe(true);
  }
  expect(unconfirmed).toBeLessThanOrEqual(ROUNDS);
  await postern.close();
  expect(ask(file, 'PRAGMA integrity_check')).toBe('ok');
  expect(ask(file, 'SELECT count(*) FROM secrets WHERE token NOT IN (SELECT seq FROM tokens)')).toBe(0);
  expect(ask(file, "SELECT count(*) FROM changes WHERE type = 'token.created'")).toBe(
    ask(file, 'SELECT count(*) FROM tokens'),
  );
});
