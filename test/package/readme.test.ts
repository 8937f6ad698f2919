import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, inject, it } from 'vitest';
import { asCommonJs, readmeExample } from './readme.js';

const { full, root } = inject('installed');
const example = await readmeExample(root);

/** Starts a program that serves, in a folder of its own; resolves once it has printed its command and its port. */
async function serve(file: string, code: string) {
  const folder = join(full, file.replace('.', '-'));
  await mkdir(folder);
  await symlink(join(full, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, file), code);
  const child = spawn(process.execPath, [file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (line.startsWith('port ')) break;
  }
  return {
    lines,
    errors: () => errors,
    stop: async () => {
      child.kill();
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

it.each([
  { form: 'an ES module', file: 'readme.mjs', code: example },
  { form: 'a CommonJS file', file: 'readme.cjs', code: asCommonJs(example) },
])('the example of the README runs as $form', async ({ file, code }) => {
  const anyPort = code.replace(
    '.listen(3000)',
    `.listen(0, function () { console.log('port', this.address().port); })`,
  );
  expect(anyPort).not.toBe(code);

  const server = await serve(file, anyPort);
  try {
    const command = /^curl -X (POST) localhost:3000(\/\S*) -H "(Authorization): (Bearer pst_\w{49})"$/;
    expect(server.lines, server.errors()).toEqual([
      expect.stringMatching(command),
      expect.stringMatching(/^port \d+$/),
    ]);
    const [, method = '', path, header = '', value = ''] = command.exec(server.lines[0] ?? '') ?? [];
    const url = `http://127.0.0.1:${server.lines[1]?.slice('port '.length)}${path}`;

    const answered = await fetch(url, { method, headers: { [header]: value } });
    expect([answered.status, await answered.json()]).toEqual([200, { ok: true }]);
    const refused = await fetch(url, { method });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="postern"']);
  } finally {
    await server.stop();
  }
  expect(server.errors()).toBe('');
});
