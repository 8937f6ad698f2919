import { binaryOf, runTable, versionOf } from '../lib/table.mjs';

const PACKAGES = { x64: 'node-22-x64', arm64: 'node-22-arm64' };

export const host = 'Node 22';
export const how = 'the HTTP table of cases, SQLite, signed tokens';

export async function run(context) {
  const version = versionOf(context, PACKAGES);
  return context.document(`Node ${version}`, await runTable(context, binaryOf(context, PACKAGES, 'bin/node')));
}
