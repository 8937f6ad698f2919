import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { run } from './run.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NOT_COPIED = new Set(['node_modules', 'dist', 'coverage', '.git', '.tmp']);

/** What users bring, and what a TypeScript user has besides. Versions are those of the lock file. */
const PEERS = [
  'express',
  'fastify',
  'hono',
  '@nestjs/common',
  '@nestjs/core',
  'rxjs',
  'reflect-metadata',
  '@connectrpc/connect',
  '@bufbuild/protobuf',
  '@grpc/grpc-js',
  '@opentelemetry/api',
  'libsql',
  'pg',
  'ioredis',
  'redis',
  'rate-limiter-flexible',
];
const TYPES = ['@types/express', '@types/node'];

declare module 'vitest' {
  interface ProvidedContext {
    /** The package as its users get it, in projects that hold nothing of this repository. */
    readonly installed: Installed;
  }
}

export interface Installed {
  /** The repository's root. */
  readonly root: string;
  /** A folder for projects of a test's own. It is removed in the end. */
  readonly home: string;
  /** The path of the tarball. */
  readonly tarball: string;
  /** Paths in the tarball, as `npm pack` reports them. */
  readonly files: readonly string[];
  /** A project with the package and none of its peers. */
  readonly alone: string;
  /** A project with the package, every peer and the types a TypeScript user has. */
  readonly full: string;
}

/**
 * Builds and packs a copy of the working tree (another process may be using its `dist`), then installs the tarball
 * into two empty projects. It runs once, before the first test of `test/package`.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // The real path: a module's URL is one, and the tests compare the two.
  const home = await realpath(await mkdtemp(join(tmpdir(), 'postern-package-')));
  const remove = () => rm(home, { recursive: true, force: true });
  try {
    const copy = join(home, 'copy');
    await cp(ROOT, copy, { recursive: true, filter: (path) => path === ROOT || !NOT_COPIED.has(basename(path)) });
    await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    await run(process.execPath, ['node_modules/tsup/dist/cli-default.js', '--silent'], copy);

    const [packed] = JSON.parse(
      await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', home], copy),
    );
    const tarball = join(home, packed.filename);
    const { devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    const exact = [...PEERS, ...TYPES].map((name) => `${name}@${devDependencies[name]}`);
    const [alone, full] = await Promise.all([
      install(join(home, 'alone'), [tarball]),
      install(join(home, 'full'), [tarball, ...exact]),
    ]);
    const files = packed.files.map((file: { path: string }) => file.path);
    project.provide('installed', { root: ROOT, home, tarball, files, alone, full });
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}

async function install(directory: string, specifiers: readonly string[]): Promise<string> {
  await mkdir(directory);
  await writeFile(join(directory, 'package.json'), '{ "name": "consumer", "private": true }\n');
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...specifiers], directory);
  return directory;
}
