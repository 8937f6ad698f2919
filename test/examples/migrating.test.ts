import { createHash, randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryRateLimiter } from 'postern';
import { createTestPostern } from 'postern/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { betterAuth } from '../../examples/migrating/better-auth.js';
import { hexOf } from '../../examples/migrating/columns.js';
import { digests } from '../../examples/migrating/digests.js';
import { importRows, type Source } from '../../examples/migrating/import-rows.js';
import { checksumOf, pats } from '../../examples/migrating/pats.js';
import { sanctum } from '../../examples/migrating/sanctum.js';
import { unkey } from '../../examples/migrating/unkey.js';
import { endExamples, runExample } from './child.js';

afterEach(endExamples);

const sha256 = (text: string, form: 'hex' | 'base64' | 'base64url') => createHash('sha256').update(text).digest(form);
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const random = (alphabet: string, length: number) =>
  Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('');

const unkeyRow = {
  id: 'key_1',
  name: 'nightly',
  externalId: 'ada',
  enabled: 1,
  expires: null,
  permissions: ['documents.read'],
  roles: [],
  credits: null,
  ratelimits: [],
};
const betterAuthRow = {
  id: 'Kx1',
  name: 'nightly',
  referenceId: 'ada',
  configId: 'default',
  enabled: 1,
  expiresAt: null,
  permissions: '{"files":["read"]}',
  remaining: null,
  refillInterval: null,
  refillAmount: null,
  rateLimitEnabled: 0,
  rateLimitTimeWindow: 86_400_000,
  rateLimitMax: 10,
};

interface Case {
  readonly source: Source<never>;
  /** A new token and its row. */
  make(): { token: string; row: Record<string, unknown> };
  /** Changes that end a token. */
  readonly ended: readonly Record<string, unknown>[];
  /** Changes that make a row bad, with words of the reason. */
  readonly bad: readonly (readonly [Record<string, unknown>, RegExp])[];
}

const CASES: Record<string, Case> = {
  digests: {
    source: digests,
    make() {
      const token = `key_${randomBytes(24).toString('hex')}`;
      const row = { id: 1, key_hash: sha256(token, 'hex'), label: 'nightly', user_id: 'ada', scopes: 'read' };
      return { token, row: { ...row, expires_at: null, revoked_at: null } };
    },
    ended: [{ revoked_at: '2025-11-01 10:00:00' }, { expires_at: '2025-11-01 10:00:00' }],
    bad: [
      [{ key_hash: 'not a digest' }, /digest/],
      [{ scopes: 'read admin' }, /no case for "admin"/],
      [{ expires_at: undefined }, /expires_at/],
      [{ revoked_at: undefined }, /revoked_at/],
    ],
  },
  sanctum: {
    source: sanctum,
    make() {
      const secret = `${random(LETTERS, 40)}1b92a8f4`;
      const row = { id: 17, tokenable_type: 'App\\Models\\User', tokenable_id: 5, name: 'nightly' };
      const dates = { created_at: '2025-11-01 10:00:00', expires_at: null };
      return {
        token: `17|${secret}`,
        row: { ...row, ...dates, token: sha256(secret, 'hex'), abilities: '["models:list"]' },
      };
    },
    ended: [{ abilities: '[]' }, { expires_at: '2025-12-31 23:59:59' }],
    bad: [
      [{ tokenable_type: 'App\\Models\\Team' }, /no case for App\\Models\\Team/],
      [{ abilities: '["server:reboot"]' }, /no case for "server:reboot"/],
      [{ abilities: '[' }, /JSON/],
      [{ expires_at: undefined }, /expires_at/],
      [{ token: '' }, /digest/],
    ],
  },
  'better-auth': {
    source: betterAuth,
    make() {
      const token = `proj_${random(LETTERS, 64)}`;
      return { token, row: { ...betterAuthRow, key: sha256(token, 'base64url') } };
    },
    ended: [{ enabled: 0 }, { expiresAt: '2025-12-31T00:00:00.000Z' }],
    bad: [
      [{ key: random(LETTERS, 64) }, /SHA-256/],
      [{ configId: 'teams' }, /no case for the configuration teams/],
      [{ referenceId: undefined }, /referenceId/],
      [{ permissions: '{"users":["delete"]}' }, /no case for "users: delete"/],
      [{ remaining: 3 }, /remaining/],
      [{ enabled: undefined }, /enabled/],
    ],
  },
  unkey: {
    source: unkey,
    make() {
      const token = `sk_live_${random(BASE58, 22)}`;
      return { token, row: { ...unkeyRow, hash: sha256(token, 'base64') } };
    },
    ended: [{ enabled: 0 }, { expires: Date.UTC(2025, 11, 31) }],
    bad: [
      [{ hash: sha256('x', 'hex') }, /SHA-256/],
      [{ roles: ['admin'] }, /roles/],
      [{ credits: { remaining: 100 } }, /credits/],
      [{ permissions: ['documents.delete'] }, /no case for "documents.delete"/],
      [{ expires: undefined }, /expires/],
    ],
  },
  pats: {
    source: pats,
    make() {
      const part = random(LETTERS, 30);
      const token = `acme_${part}${checksumOf(part)}`;
      const row = { id: 9, note: 'nightly', login: 'ada', scopes: 'read:models', expires_at: null, revoked: 0 };
      return { token, row: { ...row, hashed_token: sha256(token, 'base64') } };
    },
    ended: [{ revoked: 1 }, { expires_at: '2025-12-31' }],
    bad: [
      [{ hashed_token: sha256('x', 'base64url') }, /SHA-256/],
      [{ scopes: 'repo' }, /no case for "repo"/],
      [{ revoked: null }, /revoked/],
    ],
  },
};

function instanceFor({ importedTokens }: Source<never>) {
  const { postern } = createTestPostern({ importedTokens, rateLimiter: memoryRateLimiter() });
  const ask = async (token: string, scope: 'models:read' | 'models:write' = 'models:read') => {
    const decision = await postern.authorize({ token, requirement: { scope } });
    return decision.allowed ? 'allowed' : decision.reason;
  };
  return { postern, ask };
}

describe.each(Object.entries(CASES))('%s', (_name, { source, make, ended, bad }) => {
  it('an imported token works with its scopes only, and a wrong one does not', async () => {
    const { postern, ask } = instanceFor(source);
    const { token, row } = make();
    expect(await ask(token)).toBe('token_unknown');
    expect(await importRows(postern, source, [row as never])).toEqual({ imported: 1, already: 0, ended: [], bad: [] });
    expect([await ask(token), await ask(token, 'models:write'), await ask(make().token)]).toEqual([
      'allowed',
      'scope_missing',
      'token_unknown',
    ]);
    const { items } = await postern.tokens.list();
    expect(items).toMatchObject([{ name: 'nightly', expiresAt: null }]);
  });

  it('a second run imports nothing, and revives nothing', async () => {
    const { postern, ask } = instanceFor(source);
    const made = [make(), make()];
    const rows = made.map(({ row }) => row as never);
    await importRows(postern, source, rows);
    const revoked = await postern.tokens.revokeSecret(made[0]?.token as string);
    expect(await importRows(postern, source, rows)).toEqual({ imported: 0, already: 2, ended: [], bad: [] });
    expect((await postern.tokens.count()).count).toBe(2);
    expect(revoked).not.toBeNull();
    expect(await ask(made[0]?.token as string)).toBe('token_revoked');
  });

  it('a bad row is named with its reason, and the others are imported', async () => {
    const { postern, ask } = instanceFor(source);
    const [first, last] = [make(), make()];
    const rows = [first.row, ...bad.map(([change]) => ({ ...make().row, ...change })), null, last.row];
    const report = await importRows(postern, source, rows as never[]);
    expect(report).toMatchObject({ imported: 2, already: 0, ended: [] });
    expect(report.bad).toHaveLength(bad.length + 1);
    for (const [index, [, reason]] of bad.entries()) {
      const line = report.bad.find((each) => each.startsWith(`row ${index + 2} (id ${first.row.id}): `));
      expect(line).toMatch(reason);
    }
    expect([await ask(first.token), await ask(last.token)]).toEqual(['allowed', 'allowed']);
  });

  it('a token that has ended there is left out', async () => {
    const { postern, ask } = instanceFor(source);
    const made = ended.map((change) => {
      const { token, row } = make();
      return { token, row: { ...row, ...change } as never };
    });
    const report = await importRows(
      postern,
      source,
      made.map(({ row }) => row),
    );
    expect(report).toMatchObject({ imported: 0, bad: [] });
    expect(report.ended).toHaveLength(ended.length);
    for (const { token } of made) expect(await ask(token)).toBe('token_unknown');
  });
});

it('no digest of another form is read', () => {
  // FIPS 180-2, appendix B.1: SHA-256 of "abc".
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(hexOf('ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=', 'base64')).toBe(abc);
  expect(hexOf('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0', 'base64url')).toBe(abc);
  expect(() => hexOf('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa1', 'base64url')).toThrow('no SHA-256 digest');
  expect(() => hexOf('', 'base64')).toThrow('no SHA-256 digest');
});

it('a token of another form is refused, also if its digest is here', async () => {
  const { postern, ask } = instanceFor(pats as Source<never>);
  const token = `acme_${'a'.repeat(36)}`;
  const { row } = CASES.pats?.make() ?? {};
  await importRows(postern, pats as Source<never>, [{ ...row, hashed_token: sha256(token, 'base64') } as never]);
  expect(await ask(token)).toBe('token_unknown');
});

it("better-auth's limits are imported", async () => {
  const { postern } = instanceFor(betterAuth as Source<never>);
  const limits = { rateLimitEnabled: 1, remaining: 3, refillInterval: 60_000, refillAmount: 100 };
  await importRows(postern, betterAuth as Source<never>, [{ ...CASES['better-auth']?.make().row, ...limits } as never]);
  const { items } = await postern.tokens.list();
  expect(items).toMatchObject([
    { rateLimit: { points: 10, duration: 86_400_000 }, quota: { points: 100, refill: 60_000 } },
  ]);
});

it('an outage stops the import, and the next run goes on', async () => {
  const { postern, store } = createTestPostern({ importedTokens: digests.importedTokens });
  const rows = [CASES.digests?.make().row, CASES.digests?.make().row] as never[];
  store.failAll();
  await expect(importRows(postern, digests, rows)).rejects.toMatchObject({ code: 'unavailable' });
  store.mend();
  expect(await importRows(postern, digests, rows)).toMatchObject({ imported: 2, bad: [] });
});

describe('main.ts', () => {
  it.each(Object.keys(CASES))('imports a file of %s once, and names its bad rows', async (name) => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-test-'));
    try {
      const [rows, database] = [join(folder, 'rows.json'), join(folder, 'postern.db')];
      const row = CASES[name]?.make().row;
      await writeFile(rows, JSON.stringify([row]));
      const run = () => runExample('migrating/main.ts', [name, rows, database]);
      const nothingElse = '0 left out, 0 not imported\n';
      expect(await run()).toEqual({ code: 0, stderr: '', stdout: `1 imported, 0 here before, ${nothingElse}` });
      expect(await run()).toEqual({ code: 0, stderr: '', stdout: `0 imported, 1 here before, ${nothingElse}` });
      await writeFile(rows, JSON.stringify([{ id: 4 }]));
      const { code, stdout } = await run();
      expect([code, stdout]).toEqual([
        1,
        expect.stringMatching(/^NOT IMPORTED: row 1 \(id 4\): .*\n.* 1 not imported\n$/),
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
