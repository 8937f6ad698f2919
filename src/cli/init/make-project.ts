import { lstatSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VERSION } from '../../domain/version.js';
import { CliError, usageError } from '../failure.js';
import { CONFIG, type Example, FRAMEWORKS, type Framework, serverOf } from './frameworks.js';

/** A file to write, and whether it adds lines to one that is there. */
export interface PlannedFile {
  readonly path: string;
  readonly text: string;
  readonly adds: boolean;
}

export interface Project {
  readonly files: readonly PlannedFile[];
  /** The command that starts the server. */
  readonly start: string;
}

/** Files that lines are added to. */
const MANIFEST = 'package.json';
const GITIGNORE = '.gitignore';
const IGNORED = ['node_modules/', 'postern.db', 'postern.db-*'];

const TSCONFIG = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    experimentalDecorators: true,
    skipLibCheck: true,
    noEmit: true,
    types: ['node'],
  },
};

/**
 * Plans a guarded example in a folder. Nothing is written yet.
 *
 * @throws CliError (usage) that names every file in the way
 */
export async function planProject(folder: string, framework: Framework): Promise<Project> {
  const link = [MANIFEST, GITIGNORE].find((name) => entry(folder, name)?.isSymbolicLink());
  if (link !== undefined) throw usageError(`${link} is a link, and nothing was written. Use an empty folder`);
  const manifest = await readManifest(folder);
  // Without this type, only .mts is an ES module.
  const isModule = manifest === null || manifest.content.type === 'module';
  const [ending, imported] = isModule ? ['ts', 'js'] : ['mts', 'mjs'];
  const made = {
    [`server.${ending}`]: serverOf(framework, imported as string),
    [`postern.config.${ending}`]: CONFIG,
    'tsconfig.json': json(TSCONFIG),
  };
  const inTheWay = Object.keys(made).filter((name) => entry(folder, name) !== undefined);
  if (inTheWay.length > 0) {
    throw usageError(
      `${inTheWay.join(', ')} ${inTheWay.length === 1 ? 'is' : 'are'} in the way, and nothing was written. Use an empty folder`,
    );
  }
  const start = `tsx server.${ending}`;
  const content = merged(manifest?.content ?? { private: true, type: 'module' }, framework, start);
  return {
    files: [
      { path: MANIFEST, text: json(content, manifest?.indent), adds: manifest !== null },
      ...Object.entries(made).map(([path, text]) => ({ path, text, adds: false })),
      ...(await ignoring(folder)),
    ],
    start: content.scripts?.start === start ? 'npm start' : `npx ${start}`,
  };
}

/** Files that were made meanwhile are not overwritten either. */
export async function writeProject(folder: string, { files }: Project): Promise<void> {
  for (const { path, text, adds } of files) {
    try {
      await writeFile(join(folder, path), text, { flag: adds ? 'w' : 'wx' });
    } catch (error) {
      const { code = 'failed' } = error as NodeJS.ErrnoException;
      throw new CliError(`${path} can't be written (${code}): make the folder writable`, undefined, { cause: error });
    }
  }
}

interface Manifest {
  readonly private?: boolean;
  readonly type?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

async function readManifest(folder: string): Promise<{ readonly content: Manifest; readonly indent: string } | null> {
  const path = join(folder, MANIFEST);
  if (entry(folder, MANIFEST) === undefined) return null;
  const text = await readFile(path, 'utf8');
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content !== 'object' || content === null || Array.isArray(content)) throw new TypeError('no object');
    return { content, indent: /^[\t ]+/m.exec(text)?.[0] ?? '  ' };
  } catch (error) {
    throw new CliError(`${path} is no JSON object. Mend it, or use an empty folder`, undefined, { cause: error });
  }
}

/** Everything that is there stays as it is. */
function merged(manifest: Manifest, framework: Framework, start: string): Manifest {
  const { dependencies, devDependencies }: Example = FRAMEWORKS[framework];
  return {
    ...manifest,
    scripts: { start, ...manifest.scripts },
    dependencies: {
      ...dependencies,
      // Before Node 22.13 there is no SQLite in Node.
      ...(process.getBuiltinModule?.('node:sqlite') === undefined && { libsql: '^0.5.0' }),
      postern: `^${VERSION}`,
      ...manifest.dependencies,
    },
    devDependencies: {
      ...devDependencies,
      '@types/node': '^20.0.0',
      tsx: '^4.0.0',
      typescript: '^5.4.0',
      ...manifest.devDependencies,
    },
  };
}

async function ignoring(folder: string): Promise<readonly PlannedFile[]> {
  const path = GITIGNORE;
  const before = entry(folder, path) === undefined ? '' : await readFile(join(folder, path), 'utf8');
  const lines = before.split(/\r?\n/);
  const missing = IGNORED.filter((each) => !lines.includes(each) && !lines.includes(each.replace(/\/$/, '')));
  if (missing.length === 0) return [];
  const end = before === '' || before.endsWith('\n') ? '' : '\n';
  return [{ path, text: `${before}${end}${missing.join('\n')}\n`, adds: before !== '' }];
}

/** The file, or the link itself: a link in someone else's folder may lead to any file of ours. */
function entry(folder: string, name: string) {
  return lstatSync(join(folder, name), { throwIfNoEntry: false });
}

function json(value: object, indent = '  '): string {
  return `${JSON.stringify(value, null, indent)}\n`;
}
