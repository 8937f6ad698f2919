import { binaryOf, runTable, versionOf } from '../lib/table.mjs';

const PACKAGES = { x64: '@oven/bun-linux-x64', arm64: '@oven/bun-linux-aarch64' };

export const host = 'Bun';
export const how = 'the HTTP table of cases, on Bun.serve too; SQLite, signed tokens';

export async function run(context) {
  const version = versionOf(context, PACKAGES);
  return context.document(`Bun ${version}`, await runTable(context, binaryOf(context, PACKAGES, 'bin/bun'), ['run']));
}
