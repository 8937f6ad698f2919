import { appendFile, cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { run } from './run.js';

const { root } = inject('installed');

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

/** One file for each way to break a rule, or what is appended to one that is there. Types count: a layer that knows another's types knows that layer. */
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

/** A second rule that one of them breaks. */
const ALSO = ['src/deciding/to-entry.ts: deciding-knows-base', 'src/transports/to-cli.ts: transports-know-no-store'];

const line = ({ from, rule }: Violation) => `${from}: ${rule.name}`;

/** What `npm run imports` finds in a copy of the sources with those files: one run for all, as it takes seconds. */
async function violations(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-imports-'));
  try {
    for (const name of ['src', 'package.json', 'tsconfig.json', '.dependency-cruiser.cjs']) {
      await cp(join(root, name), join(folder, name), { recursive: true });
    }
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [file, code] of [...FORBIDDEN, BACK]) await appendFile(join(folder, 'src', file), `\n${code}\n`);
    const cli = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
    const report = JSON.parse(await run(process.execPath, [cli, 'src', '--output-type', 'json'], folder));
    expect(report.summary.totalCruised).toBeGreaterThan(30 + FORBIDDEN.length);
    return report.summary.violations.map(line);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('the rules of imports', async () => {
  const found = await violations();

  it.each(FORBIDDEN)('%s breaks one, and is named', (file, _code, rule) => {
    expect(found).toContain(`src/${file}: ${rule}`);
  });

  it('no other file breaks one: imports run one way, without a cycle', () => {
    const meant = [...FORBIDDEN.map(([file, , rule]) => `src/${file}: ${rule}`), ...ALSO];
    expect(found.toSorted()).toEqual(meant.toSorted());
  });

  it('none is without such a file', () => {
    const { forbidden } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs'));
    const names = forbidden.map(({ name }: { name: string }) => name).toSorted();
    expect([...new Set<string>(FORBIDDEN.map(([, , rule]) => rule))].toSorted()).toEqual(names);
  });
});
