import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export const host = 'Connect';
export const how = 'the example on node:http; the Connect protocol with JSON';

const EXAMPLES = new URL('../../../examples/', import.meta.url);

export async function run(context) {
  const { transform } = createRequire(join(context.modules, 'x.js'))('esbuild');
  for (const name of ['connect', 'shutdown']) {
    const { code } = await transform(await readFile(new URL(`${name}.ts`, EXAMPLES), 'utf8'), { loader: 'ts' });
    await context.write({ [`${name}.js`]: code, 'package.json': { type: 'module' } });
  }
  const { match } = await context.start(process.execPath, ['connect.js'], {
    until: /(http:\S+)\/Summarize .*(Bearer [^"]+)"\n.*missing/,
  });
  const [, url, authorization] = match;
  const call = async (method, headers, status, part) => {
    const type = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/${method}`, {
      method: 'POST',
      headers: { ...type, ...headers },
      body: '"text"',
    });
    const text = await answer.text();
    if (answer.status !== status || !text.includes(part)) throw new Error(`${method}: ${answer.status} ${text}`);
  };
  await call('Summarize', {}, 401, 'unauthenticated');
  await call('Summarize', { authorization }, 200, 'short, for you');
  await call('CreateModel', { authorization }, 403, 'permission_denied');
  return ['unauthenticated without a token, allowed with one, permission_denied without the scope'];
}
