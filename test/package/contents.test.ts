import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { DEPENDENCIES, ENTRIES } from './entries.js';
import { run } from './run.js';

const { alone, files, root } = inject('installed');
const inside = join(alone, 'node_modules', 'postern');
const manifest = JSON.parse(await readFile(join(inside, 'package.json'), 'utf8'));

interface Installation {
  readonly name: string;
  readonly version?: string;
  readonly dependencies?: Record<string, Omit<Installation, 'name'>>;
}

/** What `npm ls` shows below a package; optional peers that are not there have no version. */
function installedIn(parent: Omit<Installation, 'name'> | undefined): Installation[] {
  const below = Object.entries(parent?.dependencies ?? {}).map(([name, rest]) => ({ ...rest, name }));
  return below.filter(({ version }) => version !== undefined).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

describe('the tarball', () => {
  it('holds the built entries, the command, their chunks and six documents, and nothing else', () => {
    const entries = ENTRIES.map(({ entry }) => entry.replace(/^postern\/?/, '') || 'index');
    const built = entries.flatMap((entry) => ['js', 'd.ts', 'cjs', 'd.cts'].map((kind) => `dist/${entry}.${kind}`));
    const chunk = /^dist\/((cli\/)?[a-z][a-z-]*-[a-zA-Z0-9]{8}\.c?js|[a-z][a-z-]*-[\w-]{8}\.d\.c?ts)$/;
    const others = files.filter((file) => !chunk.test(file) || built.includes(file));
    const command = ['dist/cli/LICENSES.txt', 'dist/cli/main.js'];
    const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist/LICENSES.txt', 'package.json'];
    expect(others.toSorted()).toEqual([...built, ...command, ...documents].toSorted());
  });

  // A package that runs code when it is installed can do anything there.
  it('runs nothing when it is installed', async () => {
    const scripts = Object.keys(manifest.scripts ?? {});
    const atInstall = /^(pre|post)?(install|prepare|uninstall)$|^(prepublish|dependencies|preprepare|postprepare)$/;
    expect(scripts.filter((name) => atInstall.test(name))).toEqual([]);
    expect(files.filter((file) => file.endsWith('.gyp') || file.endsWith('.node'))).toEqual([]);
    const lock = JSON.parse(await readFile(join(alone, 'package-lock.json'), 'utf8'));
    const running = Object.entries<{ hasInstallScript?: boolean }>(lock.packages);
    expect(running.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([]);
  });

  it('brings its three dependencies and nothing more', async () => {
    expect(Object.keys(manifest.dependencies).toSorted()).toEqual(DEPENDENCIES);
    const tree = JSON.parse(await run('npm', ['ls', '--all', '--json'], alone));
    const [only, ...others] = installedIn(tree);
    expect([only?.name, others]).toEqual(['postern', []]);
    expect(installedIn(only).map(({ name }) => name)).toEqual(DEPENDENCIES);
    expect(installedIn(only).flatMap(installedIn)).toEqual([]);
  });

  it('asks for no peer: each one is optional', () => {
    expect(Object.keys(manifest.peerDependenciesMeta).toSorted()).toEqual(
      Object.keys(manifest.peerDependencies).toSorted(),
    );
    for (const meta of Object.values(manifest.peerDependenciesMeta)) expect(meta).toEqual({ optional: true });
  });

  it('names every entry in `exports`, as ES module and as CommonJS, each with its types first', () => {
    const { './package.json': own, ...entries } = manifest.exports;
    expect(own).toBe('./package.json');
    expect(Object.keys(entries).toSorted()).toEqual(
      ENTRIES.map(({ entry }) => entry.replace(/^postern/, '.')).toSorted(),
    );
    for (const [subpath, conditions] of Object.entries(entries)) {
      const file = `./dist/${subpath.slice(2) || 'index'}`;
      // As text: the order of conditions counts.
      expect(JSON.stringify(conditions)).toBe(
        JSON.stringify({
          import: { types: `${file}.d.ts`, default: `${file}.js` },
          require: { types: `${file}.d.cts`, default: `${file}.cjs` },
        }),
      );
    }
  });

  it('was built from the `exports` that are committed: npm run build writes them', async () => {
    const committed = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(manifest.exports).toEqual(committed.exports);
  });

  it('lists the licence of what the files have inside', async () => {
    const licences = await readFile(join(inside, 'dist', 'LICENSES.txt'), 'utf8');
    const names = licences.split('-'.repeat(80)).map((text) => /^\s*(\S+) \S+ \(MIT\)/.exec(text)?.[1]);
    expect(names).toEqual(['@noble/hashes', 'jose', 'preact', 'zod']);
  });

  it('is ESM without side effects, for Node 20.19 and later', () => {
    expect(manifest).toMatchObject({ type: 'module', sideEffects: false, engines: { node: '>=20.19' } });
  });

  it('holds no path of the machine that built it', async () => {
    const scripts = files.filter((file) => /\.(c?js|d\.c?ts)$/.test(file));
    const texts = await Promise.all(scripts.map((file) => readFile(join(inside, file), 'utf8')));
    expect(scripts.filter((_, i) => texts[i]?.includes(root) || texts[i]?.includes('postern-package-'))).toEqual([]);
  });
});
