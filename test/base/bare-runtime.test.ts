import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';

const entry = fileURLToPath(new URL('../../src/entries/index.ts', import.meta.url));

let code: string;
beforeAll(async () => {
  const built = await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'postern',
    target: 'es2023',
    write: false,
    logLevel: 'silent',
  });
  code = built.outputFiles[0]?.text ?? '';
});

/** Runs inside the context, which gets only `clock` and `random` from us. */
const SCENARIO = `(async () => {
  const { createPostern, memoryStore, parseToken } = postern;
  const events = [];
  const instance = createPostern({ store: memoryStore(), clock, random, pepper: 'sixteen characters and more', onEvent: (e) => events.push(e.type) });
  await instance.endpoints.create({ id: 'summarizer', access: 'protected' });
  const { token, record } = await instance.tokens.create({
    name: 'ci', types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:write'] } }, expiresIn: '1h', metadata: { a: 1 },
  });
  const ask = async (requirement) => {
    const decision = await instance.authorize({ token, requirement });
    const warm = instance.tryAuthorize({ token, requirement });
    return [decision.allowed || decision.reason, warm.allowed || warm.reason];
  };
  const before = [await ask({ endpoint: 'summarizer' }), await ask({ scope: 'models:read' }), await ask({ scope: 'iam:read' })];
  await instance.tokens.revoke(record.id);
  const after = await ask({ scope: 'models:read' });
  await instance.close();
  return JSON.stringify({ form: parseToken(token) !== null, before, after, events: [...new Set(events)] });
})()`;

describe('the core in a bare JavaScript runtime', () => {
  test('has a bundle without imports of Node', () => {
    expect(code.length).toBeGreaterThan(10_000);
    expect(code).not.toMatch(/\brequire\(\s*["']/);
    expect(code).not.toMatch(/\bfrom\s*["']node:|\bimport\(\s*["']/);
  });

  test.each([
    ['with code generation from strings', true],
    ['without code generation, as on edge runtimes', false],
  ])('creates a token and authorizes it %s', async (_, strings) => {
    let counter = 0;
    const random = (length: number) =>
      Uint8Array.from({ length }, () => (counter = (counter * 1103515245 + 12345) & 0xff));
    const context = vm.createContext(Object.create(null), { codeGeneration: { strings, wasm: false } });
    vm.runInContext(code, context);
    // The bytes must be of the context's own class.
    context.bytes = (length: number) => Array.from(random(length));
    context.clock = () => 1_767_225_600_000;
    vm.runInContext('var random = (length) => Uint8Array.from(bytes(length))', context);
    const names = vm.runInContext(
      '["process","Buffer","require","setTimeout","crypto","TextEncoder","URL","fetch","console"].filter((name) => typeof globalThis[name] !== "undefined")',
      context,
    );
    expect(Array.from(names).filter((name) => name !== 'console')).toEqual([]);
    const outcome = await vm.runInContext(SCENARIO, context);
    expect(JSON.parse(outcome)).toEqual({
      form: true,
      before: [
        [true, true],
        [true, true],
        ['scope_missing', 'scope_missing'],
      ],
      after: ['token_revoked', 'token_revoked'],
      events: ['endpoint.created', 'token.created', 'decision', 'token.revoked'],
    });
  });

  test('without random numbers throws that the random option is needed', () => {
    const context = vm.createContext(Object.create(null));
    vm.runInContext(code, context);
    const message = vm.runInContext(
      'try { postern.createPostern({ store: postern.memoryStore() }); "" } catch (error) { error.code + ": " + error.message }',
      context,
    );
    expect(message).toBe(
      'option_invalid: random of createPostern: is needed here: this runtime has no crypto.getRandomValues',
    );
  });
});
