import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The example of the README's first screen: its first block of TypeScript. */
export async function readmeExample(root: string): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (!example?.includes("from 'postern'")) throw new Error('README.md begins with no example of postern');
  return example;
}

/** The same program as a CommonJS file writes it: `require` for `import`, and a function around what is awaited. */
export function asCommonJs(example: string): string {
  const body = example
    .replace(/^import (\w+) from ('[^']+');$/gm, 'const $1 = require($2);')
    .replace(/^import (\{[^}]+\}) from ('[^']+');$/gm, 'const $1 = require($2);');
  return `(async () => {\n${body}})();\n`;
}
