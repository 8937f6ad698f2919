import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const host = 'tRPC, GraphQL Yoga';
export const how = 'the two examples, compiled and run: the requirement in the meta of a procedure, in a resolver';

const EXAMPLES = new URL('../../../examples/frameworks/', import.meta.url);

export async function run(context) {
  const names = ['trpc', 'graphql-yoga'];
  for (const name of names)
    await context.write({ [`${name}.ts`]: await readFile(new URL(`${name}.ts`, EXAMPLES), 'utf8') });
  await context.write({
    'package.json': { type: 'module' },
    'tsconfig.json': {
      compilerOptions: {
        target: 'es2022',
        module: 'nodenext',
        lib: ['es2023', 'dom', 'dom.iterable', 'esnext.disposable', 'esnext.asynciterable'],
        types: ['node'],
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: true,
      },
      files: names.map((name) => `${name}.ts`),
    },
  });
  await context.node([join(context.modules, 'typescript/bin/tsc'), '-p', 'tsconfig.json']);
  const seen = [];
  for (const name of names) {
    const { match } = await context.start(process.execPath, [`${name}.js`], {
      until: /allowed: .*?'?(http:[^' ]+)'? -H "Authorization: (Bearer \S+)"[\s\S]*missing: .*?'?(http:[^' ]+)'? -H/,
    });
    const [, allowed, authorization, missing] = match;
    const ask = async (url, headers, part, status) => {
      const response = await fetch(url, { headers });
      const text = await response.text();
      if (response.status !== status || !text.includes(part)) throw new Error(`${url}: ${response.status} ${text}`);
      return response;
    };
    await ask(allowed, {}, 'token_missing', 401);
    await ask(allowed, { authorization }, 'you', 200);
    await ask(missing, { authorization }, 'scope_missing', 403);
    if (name === 'trpc')
      await ask(allowed.replace('/models', '/forgotten'), { authorization }, 'requirement_missing', 403);
    seen.push(`${name}: 401, 200, 403`);
  }
  return seen;
}
