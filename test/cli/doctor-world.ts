import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPostern, type PosternOptions, scopeAccess } from 'postern';
import type { Store } from 'postern/store';
import { type TestClock, testClock } from 'postern/testing';
import { expect } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { runHere } from './host.js';

export const root = mkdtempSync(join(tmpdir(), 'postern-doctor-'));
/** For the end of a file. */
export const removeRoot = () => rmSync(root, { recursive: true, force: true });

/** The machine's own clock. */
export const now: TestClock = { ...testClock(), now: Date.now };

export async function doctor(words: readonly string[], clock = now) {
  const { code, stdout, stderr } = await runHere(['doctor', ...words, '-o', 'json'], {
    clock,
    env: { POSTERN_CONFIG: join(root, 'none.yaml') },
  });
  expect(stderr).toBe('');
  return { code, findings: JSON.parse(stdout) as Finding[] };
}

export const statusOf = (findings: readonly Finding[]) =>
  Object.fromEntries(findings.map(({ check, status }) => [check, status]));

export const about = (findings: readonly Finding[], check: string) => findings.find((each) => each.check === check);

/** A store with a token in it. */
export async function filled(
  store: Store,
  options: Partial<PosternOptions> = {},
  types: object = { developer: { scopes: ['*'] } },
) {
  const postern = createPostern({ store, ...options } as PosternOptions);
  await postern.tokens.create({ name: 'ci', types: types as never });
  await postern.close();
}

export const EDITOR = { tokenTypes: { editor: scopeAccess({ reports: { read: [] } }) } };
export const EDITS = { editor: { scopes: ['reports:read'] } };
