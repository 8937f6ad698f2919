import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { run } from './run.js';

const { root } = inject('installed');

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

/** What `npm run imports` finds in a folder, as `file: rule`. */
async function violations(folder: string): Promise<string[]> {
  const cli = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const report = JSON.parse(await run(process.execPath, [cli, 'src', '--output-type', 'json'], folder));
  expect(report.summary.totalCruised).toBeGreaterThan(30);
  return report.summary.violations.map(({ from, rule }: Violation) => `${from}: ${rule.name}`).toSorted();
}

it('imports run one way, without a cycle', async () => {
  expect(await violations(root)).toEqual([]);
});

/** One file for each way to break a rule. Types count: a layer that knows another's types knows that layer. */
const FORBIDDEN = [
  ['domain/to-service.ts', `import type { Store } from '../ports/store.js'; export type A = Store;`, 'domain-is-pure'],
  ['domain/to-package.ts', `export { z } from 'zod';`, 'domain-is-pure'],
  ['ports/to-base.ts', `export { check } from '../base/check.js';`, 'ports-know-domain'],
  ['base/to-deciding.ts', `export { step } from '../deciding/step.js';`, 'base-knows-ports'],
  ['managing/to-deciding.ts', `export { step } from '../deciding/step.js';`, 'managing-knows-base'],
  ['instance/to-store.ts', `export { memoryStore } from '../stores/memory.js';`, 'instance-builds-the-rooms'],
  ['deciding/to-store.ts', `export { memoryStore } from '../stores/memory.js';`, 'deciding-knows-base'],
  ['deciding/to-transport.ts', `export { guard } from '../transports/fetch.js';`, 'deciding-knows-base'],
  ['deciding/to-node.ts', `export { createHash } from 'node:crypto';`, 'node-only-where-node-is'],
  ['deciding/to-peer.ts', `export type { Request } from 'express';`, 'peers-in-their-own-entry'],
  ['deciding/to-tool.ts', `export { expect } from 'vitest';`, 'packages-that-are-declared'],
  ['deciding/to-nothing.ts', `export { a } from './nothing.js';`, 'resolvable'],
  ['deciding/cycle-a.ts', `export { b } from './cycle-b.js'; export type A = 1;`, 'no-cycle'],
  ['deciding/to-entry.ts', `export { createPostern } from '../entries/index.js';`, 'entries-are-for-users'],
  ['stores/to-transport.ts', `export { guard } from '../transports/fetch.js';`, 'stores-know-ports'],
  ['stores/other.ts', `export { memoryStore } from './memory.js';`, 'stores-apart'],
  ['limits/to-store.ts', `export { memoryStore } from '../stores/memory.js';`, 'limits-know-ports'],
  ['transports/to-store.ts', `export { memoryStore } from '../stores/memory.js';`, 'transports-know-no-store'],
  ['transports/zones.ts', `export { guard } from './fetch.js';`, 'adapters-apart'],
  ['transports/fetch.ts', `export { isIP } from 'node:net'; export const guard = 1;`, 'node-only-where-node-is'],
  ['jwt/to-store.ts', `export { memoryStore } from '../stores/memory.js';`, 'jwt-knows-ports'],
  ['gateway/to-store.ts', `export { memoryStore } from '../stores/memory.js';`, 'gateway-is-above'],
  ['gateway/hop/to-gateway.ts', `export { createGateway } from '../create-gateway.js';`, 'hops-run-anywhere'],
  ['otel/to-store.ts', `export { memoryStore } from '../stores/memory.js';`, 'otel-watches'],
  ['management/to-store.ts', `export { memoryStore } from '../stores/memory.js';`, 'management-is-above'],
  ['transports/to-cli.ts', `export const a = 1; export * from '../cli/exit-codes.js';`, 'cli-is-on-top'],
  ['cli/to-tool.ts', `export { expect } from 'vitest';`, 'cli-brings-its-own'],
  ['management/console/client/to-package.ts', `export { z } from 'zod';`, 'console-brings-preact'],
  ['testing/to-transport.ts', `export { guard } from '../transports/fetch.js';`, 'testing-is-last'],
  ['entries/index.ts', `export * from '../transports/fetch.js';`, 'index-is-the-core'],
] as const;

/** The other half of the cycle above, which is reported once, from its first file. */
const BACK = ['deciding/cycle-b.ts', `import type { A } from './cycle-a.js'; export const b: A = 1;`] as const;

describe('a file that breaks a rule is named', () => {
  let folder: string;
  let found: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-imports-'));
    for (const name of ['src', 'package.json', 'tsconfig.json', '.dependency-cruiser.cjs']) {
      await cp(join(root, name), join(folder, name), { recursive: true });
    }
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [file, code] of [...FORBIDDEN, BACK]) {
      await mkdir(dirname(join(folder, 'src', file)), { recursive: true });
      await writeFile(join(folder, 'src', file), `${code}\n`);
    }
    found = await violations(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(FORBIDDEN)('%s', (file, _code, rule) => {
    expect(found).toContain(`src/${file}: ${rule}`);
  });

  it('and no rule is without such a file', () => {
    const { forbidden } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs'));
    const names = forbidden.map(({ name }: { name: string }) => name).toSorted();
    expect([...new Set<string>(FORBIDDEN.map(([, , rule]) => rule))].toSorted()).toEqual(names);
  });
});
