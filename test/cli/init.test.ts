import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { theCommand } from './command.js';

const postern = theCommand();
let folders = 0;
let folder: string;

beforeEach(async () => {
  folder = postern.path(`new-${folders++}`);
  await mkdir(folder);
});

const init = (...words: readonly string[]) => postern.run(['init', ...words], { cwd: folder });
const read = (name: string) => readFile(join(folder, name), 'utf8');
const put = (name: string, text: string) => writeFile(join(folder, name), text);
const EXPRESS = ['--framework', 'express'];

describe('postern init', () => {
  it('writes an ES module into an empty folder, and prints the next commands', async () => {
    const made = await init(...EXPRESS);
    expect(made, made.stderr).toMatchObject({ code: 0 });
    expect(await readdir(folder)).toEqual(
      expect.arrayContaining(['.gitignore', 'package.json', 'postern.config.ts', 'server.ts', 'tsconfig.json']),
    );
    expect(JSON.parse(await read('package.json'))).toMatchObject({
      type: 'module',
      scripts: { start: 'tsx server.ts' },
    });
    expect(await read('.gitignore')).toBe('node_modules/\npostern.db\npostern.db-*\n');
    expect(made.stdout).toContain('  npm install\n  npm start\n');
  });

  it('overwrites nothing: it names all that is in the way, and writes no file', async () => {
    await put('server.ts', 'mine');
    await put('tsconfig.json', '{}');
    const refused = await init(...EXPRESS);
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('server.ts, tsconfig.json') });
    expect((await readdir(folder)).sort()).toEqual(['server.ts', 'tsconfig.json']);
    expect(await read('server.ts')).toBe('mine');
  });

  it('adds to package.json and .gitignore, and changes no line of theirs', async () => {
    const own = { name: 'mine', scripts: { start: 'node .' }, dependencies: { express: '5.1.0' } };
    await put('package.json', JSON.stringify(own, null, '\t'));
    await put('.gitignore', 'node_modules\n*.log');
    const made = await init(...EXPRESS);
    expect(made, made.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('  npx tsx server.mts\n') });
    const text = await read('package.json');
    expect(text).toContain('\n\t"name": "mine"');
    expect(JSON.parse(text)).toMatchObject({ ...own, dependencies: { express: '5.1.0', postern: expect.any(String) } });
    expect(JSON.parse(text).type).toBeUndefined();
    expect(await read('.gitignore')).toBe('node_modules\n*.log\npostern.db\npostern.db-*\n');
    // A package that is no ES module.
    expect(await read('server.mts')).toContain("from './postern.config.mjs'");
  });

  it('writes nothing in a dry run, and prints every file', async () => {
    const shown = await init(...EXPRESS, '--dry-run');
    expect(shown).toMatchObject({ code: 0, stderr: 'Nothing was written.\n' });
    for (const name of ['package.json', 'server.ts', 'postern.config.ts', 'tsconfig.json', '.gitignore']) {
      expect(shown.stdout).toContain(`--- ${name}\n`);
    }
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses a package.json that is no JSON, and a pipe that names no framework', async () => {
    const unasked = await init();
    expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining('--framework express') });
    expect(await init('--framework', 'koa')).toMatchObject({ code: 2 });
    await put('package.json', '{');
    expect(await init(...EXPRESS)).toMatchObject({ code: 1, stderr: expect.stringContaining('is no JSON object') });
    expect(await readdir(folder)).toEqual(['package.json']);
  });

  it('asks for the framework on a terminal, again after a word that is none', async () => {
    const running = postern.start(['init'], { cwd: folder, terminal: true });
    await running.until(/Framework \(express, fastify, hono, nest\): /);
    running.type('koa\n');
    await running.until(/Type one of[\s\S]*Framework/);
    running.type('Hono\n');
    expect((await running.ended).code).toBe(0);
    expect(await read('server.ts')).toContain("from 'postern/hono'");
  });
});
