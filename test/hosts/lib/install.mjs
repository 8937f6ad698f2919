import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arch } from 'node:process';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MODULES = join(HERE, 'node_modules');

/** Throws where a host of `package.json` is not there, or not in the version that is named. */
export function assertInstalled() {
  const { dependencies, optionalDependencies } = createRequire(import.meta.url)(join(HERE, 'package.json'));
  // Runtimes come for two architectures: npm installs those of this machine.
  const runtimes = Object.entries(optionalDependencies).filter(
    ([name]) => /arm64|aarch64/.test(name) === (arch === 'arm64'),
  );
  const missing = [...Object.entries(dependencies), ...runtimes].filter(
    ([name, range]) => versionOf(name) !== range.split('@').at(-1),
  );
  if (missing.length > 0) {
    const list = missing.map(([name, range]) => `  ${name}@${range} (found: ${versionOf(name) ?? 'nothing'})`);
    throw new Error(`these hosts are not installed. Run: npm ci --prefix test/hosts\n${list.join('\n')}`);
  }
}

function versionOf(name) {
  const manifest = join(MODULES, name, 'package.json');
  return existsSync(manifest) ? createRequire(import.meta.url)(manifest).version.replace(/^v/, '') : null;
}

/**
 * A folder outside of the repository, whose `node_modules` holds every host, and postern as its users install it: out of the
 * tarball, with its own dependencies beside it.
 *
 * @param tarball left out: the working tree is built and packed
 */
export async function layOut(tarball) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'postern-hosts-')));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const packed = tarball ?? pack(folder);
    const modules = join(folder, 'node_modules');
    await copyTree(MODULES, modules);
    const postern = join(modules, 'postern');
    await mkdir(postern);
    execFileSync('tar', ['-xzf', packed, '-C', postern, '--strip-components=1']);
    await addDependencies(postern, modules);
    return { folder, modules, tarball: packed, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function pack(destination) {
  const out = execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', destination], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // What `prepack` prints comes first.
  const [{ filename }] = JSON.parse(out.slice(out.lastIndexOf('\n[')));
  return join(destination, filename);
}

/** Hard links where the file system has them: a copy of all hosts is 700 MB. */
async function copyTree(from, to) {
  try {
    execFileSync('cp', ['-al', from, to], { stdio: 'ignore' });
  } catch {
    await cp(from, to, { recursive: true, verbatimSymlinks: true });
  }
}

/** In the versions of the lock file. A host that brings another one keeps its own, and postern gets these below itself. */
async function addDependencies(postern, modules) {
  const { dependencies } = JSON.parse(await readFile(join(postern, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const isTaken = existsSync(join(modules, name));
    const to = join(isTaken ? join(postern, 'node_modules') : modules, name);
    await cp(await realpath(join(ROOT, 'node_modules', name)), to, { recursive: true });
  }
}
