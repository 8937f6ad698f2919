import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type PosternOptions, readOptions } from '../../base/options.js';
import { isPosternError } from '../../domain/errors.js';
import { memoryStore } from '../../stores/memory.js';
import { CliError } from '../failure.js';
import { findConfig, isOwn } from './find-config.js';

/** The options of the application's own `createPostern`. */
export interface Config {
  /** Its path, for messages. */
  readonly file: string;
  readonly options: Partial<PosternOptions>;
}

/**
 * Runs the application's configuration, and checks what it exports. Only commands that work on a store do this.
 *
 * @param named the path in `--config`
 * @returns `null` if there is none
 * @throws CliError with the file, and the line if its own code threw
 */
export async function loadConfig(named: string | undefined): Promise<Config | null> {
  const file = findConfig(named);
  if (file === null) return null;
  const options = exportedBy(await run(file));
  if (typeof options !== 'object' || options === null) {
    throw new CliError(
      `${file} exports no options. Export those of createPostern, as default or with the name options`,
    );
  }
  try {
    // Each has a store in the end, and a configuration need not name one.
    readOptions({ store: memoryStore(), ...options });
  } catch (error) {
    if (!isPosternError(error)) throw threw(file, error);
    throw new CliError(`${file}: ${error.message}`, undefined, { cause: error });
  }
  return { file, options };
}

async function run(file: string): Promise<Exports> {
  const url = pathToFileURL(file).href;
  try {
    return await (/\.m?ts$/.test(file) ? importTypeScript(file, url) : import(url));
  } catch (error) {
    throw error instanceof CliError ? error : threw(file, error);
  }
}

/** With the application's own `tsx`, which finds `./types.ts` by the name `./types.js` too; else with Node's own type stripping. */
async function importTypeScript(file: string, url: string): Promise<Exports> {
  const load = createRequire(file);
  let tsx: string | null = null;
  try {
    // The ES module beside it: the CommonJS one of some versions does not find its own files.
    const found = load.resolve('tsx/esm/api').replace(/\.cjs$/, '.mjs');
    // It may come from any folder above, such as /tmp/node_modules.
    if (isOwn(found) || statSync(found).uid === statSync(file).uid) tsx = found;
  } catch {
    // It is not installed.
  }
  if (tsx !== null) return (await import(pathToFileURL(tsx).href)).tsImport(url, url);
  if ((process.features as { readonly typescript?: unknown }).typescript) return import(url);
  throw new CliError(
    `${file} is TypeScript, which Node ${process.versions.node} can't read. Run npm install --save-dev tsx, use Node 22.18 or later, or write ${basename(file).replace(/m?ts$/, 'mjs')}`,
  );
}

interface Exports {
  readonly default?: unknown;
  readonly options?: unknown;
}

function exportedBy(module: Exports): unknown {
  // CommonJS that was made of an ES module: its exports are the default of what is imported.
  const inner = module.default as (Exports & { readonly __esModule?: true }) | undefined;
  const { options, default: byDefault } = inner?.__esModule ? inner : module;
  return options ?? byDefault;
}

/** The error of a file whose own code threw. `POSTERN_DEBUG=1` shows the cause. */
function threw(file: string, error: unknown): CliError {
  const { message, stack = '' } = error instanceof Error ? error : { message: String(error) };
  const places = [file, pathToFileURL(file).href].map((each) => each.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const line = new RegExp(`(?:${places.join('|')})[^:\\s]*:(\\d+)`).exec(stack)?.[1];
  const place = line === undefined ? file : `${file}:${line}`;
  // Node tells the place of a syntax error to nobody but the terminal.
  const more = line === undefined && error instanceof SyntaxError ? `node --check ${file}` : 'POSTERN_DEBUG=1';
  return new CliError(`${place} failed: ${message.split('\n', 1)[0]} (${more} shows where)`, undefined, {
    cause: error,
  });
}
