import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { expect, inject, it } from 'vitest';

const { full } = inject('installed');

/** Makes a token, reaches what it may and nothing else, and says what it saw. */
const PROGRAM = `
import { createPostern, memoryStore } from 'postern';
import { guard } from 'postern/fetch';

export async function main() {
  const postern = createPostern({ store: memoryStore() });
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  const { token } = await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['models:write'] } } });
  const decide = async (requirement) => {
    const decision = await postern.authorize({ token, requirement });
    return decision.allowed || decision.reason;
  };
  const seen = [await decide({ scope: 'models:read' }), await decide({ endpoint: 'summarizer' }), typeof guard];
  await postern.close();
  return JSON.stringify(seen);
}`;

/** What browsers, Workers, Deno and Bun have besides the language itself, as far as it is needed here. */
const WEB = { crypto: globalThis.crypto, TextEncoder, setTimeout, clearTimeout };

it('the core and the fetch guard run in a realm with nothing of Node', async () => {
  const { outputFiles } = await build({
    stdin: { contents: PROGRAM, resolveDir: full },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'program',
    platform: 'browser',
    absWorkingDir: full,
  });
  const realm = createContext({ ...WEB });
  expect(runInContext('typeof process + typeof require + typeof Buffer + typeof global', realm)).toBe(
    'undefined'.repeat(4),
  );
  runInContext(outputFiles[0]?.text ?? '', realm);
  expect(await runInContext('program.main()', realm)).toBe('[true,"endpoint_not_granted","function"]');
});
