import { chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPostern, endpointAccess, scopeAccess } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { findConfig } from '../../src/cli/config/find-config.js';
import { theCommand } from './command.js';
import { theCommandHere } from './here.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const here = theCommandHere();
/** For what would stay in this process: code that tsx changes, a module that is written anew, work that goes on. */
const processes = theCommand();

/** The same types as text: what an application exports. */
const TYPES = `{
  visitor: { form: 'endpoint_access' },
  editor: { form: 'scope_access', resources: { reports: { read: [], write: ['read'] } } },
}`;

let folders = 0;
let folder: string;
let store: readonly string[];
/** A token of the application's own type `editor`. */
let token: string;

beforeEach(async () => {
  folder = here.path(`project-${folders++}`);
  await mkdir(folder);
  const filename = join(folder, 'app.db');
  store = ['--store', `sqlite:${filename}`];
  const application = createPostern({
    store: sqliteStore({ filename }),
    organization: 'acme-inc',
    tokenPrefix: 'acme',
    tokenTypes: {
      visitor: endpointAccess(),
      editor: scopeAccess({ reports: { read: [], write: ['read'] } }),
    },
  });
  const made = await application.tokens.create({ name: 'ci', types: { editor: { scopes: ['reports:write'] } } });
  token = made.token;
  await application.close();
});

async function installTsx() {
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(ROOT, 'node_modules/tsx'), join(folder, 'node_modules/tsx'));
}

const put = (name: string, text: string) => writeFile(join(folder, name), text);

type Command = Pick<typeof here, 'run'>;

function run(
  args: readonly string[],
  { input = '', by = here }: { readonly input?: string; readonly by?: Command } = {},
) {
  return by.run(args, { cwd: folder, input });
}

/** The store of the application, and a call that the configuration changes the answer of. */
const verify = (args: readonly string[], by?: Command) =>
  run(['verify', ...args, '-o', 'json'], { input: token, ...(by && { by }) });

const OPTIONS = `{ organization: 'acme-inc', tokenPrefix: 'acme', tokenTypes: ${TYPES} }`;
const JUDGED = { active: true, organization: 'acme-inc', scopes: ['reports:write', 'reports:read'] };

describe('postern.config', () => {
  it.each([
    ['postern.config.mjs', 'default', `export default ${OPTIONS};`],
    ['postern.config.mjs', 'options', `export const options = ${OPTIONS};`],
    ['postern.config.cjs', 'module.exports', `module.exports = ${OPTIONS};`],
    ['postern.config.js', 'exports.options', `exports.options = ${OPTIONS};`],
    [
      'postern.config.js',
      'exports.default',
      `Object.defineProperty(exports, '__esModule', { value: true }); exports.default = ${OPTIONS};`,
    ],
  ])('names the token types, the prefix and the organization (%s: %s)', async (name, _, text) => {
    await put('package.json', '{}');
    await put(name, text);
    const verified = await verify(store);
    expect(verified, verified.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(verified.stdout)).toMatchObject(JUDGED);
    const created = await run([
      ...['api-token', 'create', '--name', 'reader', '--types', '{"editor":{"scopes":["reports:read"]}}', ...store],
    ]);
    expect(created, created.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/^acme_/) });
  });

  it.each([
    ['module', "import { types } from './types.js';"],
    ['commonjs', "import { types } from './types';"],
  ])('is read as TypeScript with the tsx of the application (type: %s)', async (type, line) => {
    await installTsx();
    await put('package.json', JSON.stringify({ type }));
    await put('types.ts', `export const types: Record<string, object> = ${TYPES};`);
    await put(
      'postern.config.ts',
      `${line}\nexport const options = { tokenPrefix: 'acme' as string, tokenTypes: types, organization: 'acme-inc' };`,
    );
    const verified = await verify(store, processes);
    expect(verified, verified.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(verified.stdout)).toMatchObject(JUDGED);

    await put('postern.config.ts', `interface A {\n  readonly b: 1;\n}\n\nthrow new Error('no PEPPER');`);
    const failed = await verify(store, processes);
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    // tsx makes CommonJS without a map of its lines.
    const place = type === 'module' ? 'postern.config.ts:5' : 'postern.config.ts';
    expect(failed.stderr).toContain(`${join(folder, place)} failed: no PEPPER`);
  });

  it('is read as TypeScript by Node itself, or the error says what to install', async () => {
    await put('package.json', '{ "type": "module" }');
    await put('postern.config.ts', `export default ${OPTIONS} as object;`);
    const verified = await verify(store, processes);
    if ('typescript' in process.features && process.features.typescript) {
      expect(JSON.parse(verified.stdout)).toMatchObject(JUDGED);
      return;
    }
    expect(verified).toMatchObject({ code: 1, stdout: '' });
    expect(verified.stderr).toContain('npm install --save-dev tsx');
    expect(verified.stderr).toContain('postern.config.mjs');
  });

  it('is named with --config, and the command line takes precedence over it', async () => {
    await put('settings.mjs', `export default { ...${OPTIONS}, organization: 'other' };`);
    const config = ['--config', 'settings.mjs'];
    const listed = await run(['api-token', 'list', ...store, ...config, '-o', 'json']);
    expect(JSON.parse(listed.stdout)).toEqual([]);
    const own = await run(['api-token', 'list', ...store, ...config, '--organization', 'acme-inc', '-o', 'json']);
    expect(JSON.parse(own.stdout)).toMatchObject([{ name: 'ci' }]);
    const missing = await run(['api-token', 'list', ...store, '--config', 'nothing.mjs']);
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no file') });
    const stray = await run(['api-token', 'list', ...config]);
    expect(stray).toMatchObject({ code: 2, stderr: expect.stringContaining('--config is for --store only') });
  });

  it('gives its store to --store config, and the command ends beside an open connection of it', async () => {
    await installTsx();
    await put('package.json', '{ "type": "module" }');
    await put('postern.config.ts', `export default ${OPTIONS};`);
    const none = await verify(['--store', 'config'], processes);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('names no store') });
    await put(
      'postern.config.ts',
      `import { sqliteStore } from ${JSON.stringify(join(ROOT, 'src/stores/sqlite/index.ts'))};
      setInterval(() => {}, 60_000);
      export default { ...${OPTIONS}, store: sqliteStore({ filename: new URL('./app.db', import.meta.url) }) };`,
    );
    const verified = await verify(['--store', 'config'], processes);
    expect(verified, verified.stderr).toMatchObject({ code: 0 });
    expect(JSON.parse(verified.stdout)).toMatchObject(JUDGED);
    const migrated = await run(['migrate', '--store', 'config', '-o', 'json'], { by: processes });
    expect(JSON.parse(migrated.stdout)).toMatchObject({ store: expect.stringContaining('postern.config.ts') });
  });

  it.each([
    ['an unknown option', "export default { tokenPrefx: 'acme' };", 'tokenPrefx of createPostern: is unknown'],
    ['a wrong option', "export default { tokenPrefix: 'A' };", 'tokenPrefix of createPostern:'],
    ['no options', 'export const postern = 1;', 'exports no options'],
    ['code that throws', "\n\nthrow new TypeError('no PEPPER\\nset');", ':3 failed: no PEPPER ('],
    ['code that can not be read', 'export default {\n  a: ;\n};', '(node --check '],
    ['a missing package', "import 'not-installed';", "failed: Cannot find package 'not-installed'"],
  ])('with %s is named in the error, without a stack', async (_, text, message) => {
    await put('postern.config.mjs', text);
    const { code, stdout, stderr } = await verify(store);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`${join(folder, 'postern.config.mjs')}`);
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('shows the stack with POSTERN_DEBUG=1', async () => {
    await put('postern.config.mjs', "throw new Error('no PEPPER');");
    const { stderr } = await here.run(['verify', ...store], {
      cwd: folder,
      input: token,
      env: { POSTERN_DEBUG: '1' },
    });
    expect(stderr).toMatch(/\n {4}at .*postern\.config\.mjs:1/);
  });

  it('is not run by commands that work on a server', async () => {
    await put('postern.config.mjs', "throw new Error('it was run');");
    const { stderr } = await run(['api-token', 'list']);
    expect(stderr).toContain('you are not logged in');
  });
});

describe('a store of other token types, without a configuration', () => {
  const refused = { code: 1, stdout: '', stderr: expect.stringContaining('its own token types (editor)') };

  it('is named, and nothing is judged or made', async () => {
    const prefix = ['--token-prefix', 'acme', '--organization', 'acme-inc'];
    expect(await verify([...store, ...prefix])).toMatchObject(refused);
    const explain = ['explain', '--scope', 'models:read', ...store, ...prefix];
    expect(await run(explain, { input: token })).toMatchObject(refused);
    expect(await run(['explain', '--no-token', '--authenticated', ...store])).toMatchObject(refused);
    expect(await run(['api-token', 'create', '--name', 'a', '--scope', '*', ...store])).toMatchObject(refused);
    expect(await run(['endpoint', 'preview', 'a', '--access', 'public', ...store])).toMatchObject(refused);
    const gateway = ['gateway', '--host-pattern', '{endpoint}.example.com', '--trusted-proxy', '127.0.0.1'];
    expect(await run([...gateway, '--listen', '127.0.0.1:0', ...store])).toMatchObject(refused);
    expect(await run(['serve', '--port', '0', ...store])).toMatchObject(refused);
    const listed = await run(['api-token', 'list', ...store, ...prefix, '-o', 'json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ types: { editor: { scopes: ['reports:write'] } } }]);
    const [{ uid }] = JSON.parse(listed.stdout);
    const update = ['api-token', 'update', uid, '--scope', '*', ...store, ...prefix];
    expect(await run(update)).toMatchObject(refused);
    expect(await run(['api-token', 'revoke', uid, ...store, ...prefix])).toMatchObject({ code: 0 });
  });

  it('is named by the token too, if that is older than those that are looked at', async () => {
    const filename = join(folder, 'app.db');
    const later = createPostern({ store: sqliteStore({ filename }) });
    for (let made = 0; made < 100; made++) {
      await later.tokens.create({ name: 'n', types: { developer: { scopes: ['*'] } } });
    }
    await later.close();
    const prefix = ['--token-prefix', 'acme', '--organization', 'acme-inc'];
    expect(await verify([...store, ...prefix])).toMatchObject(refused);
    const explain = ['explain', '--authenticated', ...store, ...prefix];
    expect(await run(explain, { input: token })).toMatchObject(refused);
  });
});

describe('the search for a configuration', () => {
  let root: string;
  let deep: string;
  const write = (name: string, text: string) => writeFile(join(root, name), text);
  beforeEach(async () => {
    // The folder of the command is a package.
    root = await mkdtemp(join(tmpdir(), 'postern-search-'));
    deep = join(root, 'packages/api/src');
    await mkdir(deep, { recursive: true });
  });

  afterEach(() => rm(root, { recursive: true }));

  it('goes up to the root of the repository, else of the package, else nowhere', async () => {
    await write('postern.config.js', '');
    expect(findConfig(undefined, deep)).toBeNull();
    await write('packages/package.json', '{}');
    expect(findConfig(undefined, deep)).toBeNull();
    await write('packages/postern.config.mjs', '');
    expect(findConfig(undefined, deep)).toBe(join(root, 'packages/postern.config.mjs'));
    await write('.git', '');
    await write('packages/api/postern.config.ts', '');
    expect(findConfig(undefined, deep)).toBe(join(root, 'packages/api/postern.config.ts'));
    expect(findConfig(undefined, root)).toBe(join(root, 'postern.config.js'));
  });

  it('reaches the root of the repository past a package', async () => {
    await write('postern.config.js', '');
    await write('packages/api/package.json', '{}');
    await write('.git', '');
    expect(findConfig(undefined, deep)).toBe(join(root, 'postern.config.js'));
  });

  it('refuses two in one folder', async () => {
    await write('postern.config.js', '');
    await write('postern.config.ts', '');
    expect(() => findConfig(undefined, root)).toThrow('are two configurations');
  });

  it('does not run the file of another user above the working directory', async () => {
    await write('package.json', '{}');
    await write('postern.config.js', '');
    const self = process.getuid?.() as number;
    // Only root can give a file away.
    if (self === 0) await chown(join(root, 'postern.config.js'), 4711, 4711);
    else vi.spyOn(process, 'getuid').mockReturnValue(self + 1);
    onTestFinished(() => void vi.restoreAllMocks());
    expect(() => findConfig(undefined, deep)).toThrow('belongs to another user');
    expect(findConfig(undefined, root)).toBe(join(root, 'postern.config.js'));
  });
});
