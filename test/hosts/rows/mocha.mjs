import { IMPORTS, passed, REQUIRES, STORE_TEST } from '../lib/snippets.mjs';

export const host = 'mocha';
export const how = 'CommonJS and ES module';

export async function run(context) {
  const body = STORE_TEST.replaceAll('test(', 'it(');
  await context.write({ 'a.test.cjs': `${REQUIRES}${body}`, 'a.test.mjs': `${IMPORTS}${body}` });
  const seen = [];
  for (const [file, name] of [
    ['a.test.cjs', 'CommonJS'],
    ['a.test.mjs', 'ES module'],
  ]) {
    const { stdout } = await context.node([context.bin('mocha'), '--reporter', 'dot', '--timeout', '60000', file]);
    seen.push(`${name}: ${passed(stdout, /(\d+) passing/)} tests passed`);
  }
  return seen;
}
