import { binaryOf, runTable, versionOf } from '../lib/table.mjs';

const PACKAGES = { x64: '@deno/linux-x64-glibc', arm64: '@deno/linux-arm64-glibc' };

export const host = 'Deno';
export const how = 'the HTTP table of cases, on Deno.serve too; SQLite, signed tokens';

export async function run(context) {
  const version = versionOf(context, PACKAGES);
  const args = ['run', '--allow-all', '--node-modules-dir=manual'];
  return context.document(`Deno ${version}`, await runTable(context, binaryOf(context, PACKAGES, 'deno'), args));
}
