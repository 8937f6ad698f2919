import { chmod, chown, lchown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { findConfig } from '../../src/cli/config/find-config.js';
import { loadConfig } from '../../src/cli/config/load-config.js';
import { theCommand } from './command.js';

const postern = theCommand();
const OTHER = 4711;
const isRoot = process.getuid?.() === 0;

/** Makes paths those of another user. Only root can give a file away: for others, this user becomes another one. */
async function giveAway(...paths: readonly string[]): Promise<void> {
  if (isRoot) for (const path of paths) await lchown(path, OTHER, OTHER);
  else {
    vi.spyOn(process, 'getuid').mockReturnValue(OTHER);
    onTestFinished(() => void vi.restoreAllMocks());
  }
}

/** A folder in which all may write, like /tmp, and a project of this user in it. */
let open: string;
let project: string;

beforeEach(async () => {
  open = await mkdtemp(join(tmpdir(), 'postern-open-'));
  onTestFinished(() => rm(open, { recursive: true, force: true }));
  await chmod(open, 0o1777);
  project = join(open, 'project');
  await mkdir(project);
});

describe('postern.config of another user is not run', () => {
  it('in a working directory in which all may write', async () => {
    const path = join(open, 'postern.config.mjs');
    await writeFile(path, 'export default {};');
    expect(findConfig(undefined, open)).toBe(path);
    await giveAway(path);
    expect(() => findConfig(undefined, open)).toThrow('belongs to another user');
    expect(findConfig(path, open)).toBe(path);
  });

  it('where it is a link to a file of this user', async () => {
    const script = join(project, 'delete-all.mjs');
    const link = join(open, 'postern.config.mjs');
    await writeFile(script, '');
    await symlink(script, link);
    await mkdir(join(open, '.git'));
    expect(findConfig(undefined, project)).toBe(link);
    await giveAway(link);
    for (const here of [project, open]) expect(() => findConfig(undefined, here)).toThrow('belongs to another user');
  });
});

it('the tsx of another user is not run', async () => {
  const ran = vi.fn();
  vi.stubGlobal('fakeTsx', ran);
  onTestFinished(() => void vi.unstubAllGlobals());
  const tsx = join(open, 'node_modules/tsx');
  await mkdir(tsx, { recursive: true });
  await writeFile(join(tsx, 'package.json'), '{ "name": "tsx", "exports": { "./esm/api": "./api.mjs" } }');
  await writeFile(join(tsx, 'api.mjs'), 'export const tsImport = async () => (fakeTsx(), { default: {} });');
  const file = join(project, 'postern.config.ts');
  await writeFile(file, 'export default {};');
  // Both have one owner, as in a container that runs as root.
  if (isRoot) await chown(file, OTHER, OTHER);
  await giveAway(join(tsx, 'api.mjs'));
  await loadConfig(file);
  expect(ran).toHaveBeenCalledOnce();
  // Only root can give them two owners.
  if (!isRoot) return;
  await chown(file, 0, 0);
  await loadConfig(file).catch((error: Error) => expect(error.message).toContain('npm install --save-dev tsx'));
  expect(ran).toHaveBeenCalledOnce();
});

it('an event listener of postern.config that fails ends no gateway', async () => {
  const store = ['--store', `sqlite:${join(project, 'gateway.db')}`];
  await writeFile(
    join(project, 'postern.config.mjs'),
    "export default { onEvent: async () => { throw new Error('no log'); } };",
  );
  await postern.run(['migrate', ...store], { cwd: project });
  const proxy = ['--listen', '127.0.0.1:0', '--endpoint-header', 'x-endpoint', '--trusted-proxy', '127.0.0.1'];
  const gateway = postern.start(['gateway', ...store, ...proxy], { cwd: project });
  const [, url] = await gateway.until(/Listening on (http\S+)/);
  const call = { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/', 'x-forwarded-host': 'a.test', 'x-endpoint': 'a' };
  for (let calls = 0; calls < 2; calls++) {
    const { status } = await fetch(`${url}/auth`, { headers: call });
    expect(status).toBe(404);
  }
  gateway.signal('SIGTERM');
  expect(await gateway.ended).toMatchObject({ code: 0 });
});
