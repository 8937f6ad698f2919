import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { theCommand } from './command.js';

const postern = theCommand();

it.each([
  ['.gitignore', '.bashrc', 'alias ll="ls -l"\n'],
  ['package.json', 'docker.json', '{ "auths": {} }'],
])('postern init does not write through a link (%s)', async (name, target, text) => {
  const folder = postern.path(`linked-${target}`);
  await mkdir(folder);
  await writeFile(postern.path(target), text);
  await symlink(`../${target}`, join(folder, name));
  const refused = await postern.run(['init', '--framework', 'express'], { cwd: folder });
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(`${name} is a link`) });
  expect(await readFile(postern.path(target), 'utf8')).toBe(text);
  expect(await readdir(folder)).toEqual([name]);
});

it('postern init makes no file where a link leads, and writes nothing else either', async () => {
  const folder = postern.path('dangling');
  await mkdir(folder);
  await symlink('../nothing.ts', join(folder, 'server.ts'));
  const refused = await postern.run(['init', '--framework', 'express'], { cwd: folder });
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('server.ts is in the way') });
  expect(await readdir(folder)).toEqual(['server.ts']);
  await expect(lstat(postern.path('nothing.ts'))).rejects.toThrow('ENOENT');
});
