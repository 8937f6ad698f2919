import { createPostern } from 'postern';
import type { MirrorAnswer } from 'postern/store';
import { postgresStore } from 'postern/stores/postgres';
import { afterAll, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { REPLICATED, startReplica } from '../support/postgres-replica.js';
import { usePostgres } from '../support/services.js';
import { aSchema } from './postgres-server.js';

const server = await usePostgres(REPLICATED);
const replica = await startReplica(server);
afterAll(() => replica.dispose());
const types = { developer: { scopes: ['models:read'] } } as const;
const requirement = { scope: 'models:read' } as const;
const TOKENS = 60;

/** Two processes, and a crowd that calls one of them without a pause; that one reads from a replica 200 ms behind. */
async function crowd() {
  await replica.delay(200);
  const schema = aSchema();
  const connectionString = server.url();
  const farStore = postgresStore({ connectionString, schema, heartbeat: '300ms' });
  const far = createPostern({ store: farStore });
  const reader = { connectionString: replica.url(), maxLag: '30s' } as const;
  const nearStore = postgresStore({ connectionString, schema, heartbeat: '300ms', reader });
  // A cache so small and short that nearly each call reads.
  const near = createPostern({ store: nearStore, cache: { ttl: '1ms', maxTokens: 10 } });
  const answers: MirrorAnswer[] = [];
  nearStore.mirror?.watch({ used: () => {}, answered: (by) => answers.push(by) });
  const made = await Promise.all(
    Array.from({ length: TOKENS }, async () => {
      const { token, record } = await far.tokens.create({ name: 'x', types });
      return { token, id: record.id };
    }),
  );
  await eventually(async () => {
    answers.length = 0;
    for (const { token } of made) expect((await near.authorize({ token, requirement })).allowed).toBe(true);
    expect(new Set(answers)).toEqual(new Set(['replica']));
  });
  const close = () => Promise.all([near.close(), far.close()]);
  return { far, farStore, near, made, answers, close };
}

it('no call that begins after a revocation was heard of is allowed, whatever is read meanwhile', async () => {
  const { far, farStore, near, made, answers, close } = await crowd();
  const known = new Set<string>();
  const wrong: string[] = [];
  let allowed = 0;
  let isOver = false;
  const caller = async (first: number) => {
    for (let index = first; !isOver; index++) {
      const { token, id } = made[index % made.length] as { token: string; id: string };
      const isKnown = known.has(id);
      const decision = await near.authorize({ token, requirement });
      if (decision.allowed && isKnown) wrong.push(id);
      if (decision.allowed) allowed++;
    }
  };
  const callers = Array.from({ length: 8 }, (_, index) => caller(index * 7));
  answers.length = 0;
  for (const { id } of made.slice(TOKENS / 2)) {
    await far.tokens.revoke(id);
    // The calling process has said that it knows.
    expect(await farStore.confirm?.(60_000)).toMatchObject({ missing: 0 });
    known.add(id);
  }
  // Until the replica has all of it.
  for (const { token } of made.slice(TOKENS / 2)) {
    await eventually(async () => {
      answers.length = 0;
      expect((await near.authorize({ token, requirement })).allowed).toBe(false);
      expect(answers).toContain('replica');
    });
  }
  isOver = true;
  await Promise.all(callers);
  expect(wrong).toEqual([]);
  expect(allowed).toBeGreaterThan(0);
  await close();
});

it('unknown tokens, and changes of other tokens, do not make it forget a revocation', async () => {
  const { far, farStore, near, made, close } = await crowd();
  const [revoked, ...others] = made as [{ token: string; id: string }, ...{ token: string; id: string }[]];
  await replica.pause();
  await far.tokens.revoke(revoked.id);
  expect(await farStore.confirm?.(60_000)).toMatchObject({ missing: 0 });
  const garbage = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const { token, record } = await far.tokens.create({ name: 'x', types });
      await far.tokens.delete(record.id);
      return token;
    }),
  );
  await Promise.all(others.map(({ id }) => far.tokens.update(id, { description: 'x' })));
  for (let round = 0; round < 20; round++) {
    await Promise.all([...garbage, ...others.map(({ token }) => token)].map((token) => near.authenticate(token)));
    expect(await near.authenticate(revoked.token)).toEqual({ ok: false, reason: 'token_revoked' });
  }
  await replica.resume();
  await close();
});
