import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { quote } from '../domain/text.js';
import { CliError, usageError } from './failure.js';
import type { Host } from './host.js';
import { locked } from './lock.js';
import { warn } from './output/print.js';

/** A server, and the token that this machine uses there. */
export interface Context {
  readonly name: string;
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly api_token: string;
  /** Empty if the server knows none. */
  readonly email: string;
}

export interface Contexts {
  /** The name of the default context; `null`: none. */
  readonly current: string | null;
  readonly contexts: readonly Context[];
}

/** Loose, so that fields of a later version are kept. */
const fileSchema = z.looseObject({
  current_context: z.string().nullish(),
  contexts: z
    .array(
      z.looseObject({ name: z.string(), endpoint: z.string(), api_token: z.string(), email: z.string().default('') }),
    )
    .default([]),
});

const OWN_ONLY = 0o600;
const OTHERS = 0o077;

/** The file of the contexts: `POSTERN_CONFIG`, or `config.yaml` in the platform's folder for configuration. */
export function configPath(host: Host): string {
  const named = host.env.POSTERN_CONFIG;
  return named ? resolve(named) : join(envPaths('postern', { suffix: '' }).config, 'config.yaml');
}

export async function loadContexts(host: Host): Promise<Contexts> {
  const { current_context: current, contexts } = await read(host);
  return { current: current ?? null, contexts };
}

/** Adds or replaces a context, and makes it the current one. */
export async function saveContext(host: Host, context: Context): Promise<void> {
  assertContextName(context.name);
  await change(host, (file) => {
    const others = file.contexts.filter(({ name }) => name !== context.name);
    const before = file.contexts.find(({ name }) => name === context.name);
    return { ...file, current_context: context.name, contexts: [...others, { ...before, ...context }] };
  });
}

/** @throws CliError if there is no context of this name */
export async function useContext(host: Host, name: string): Promise<Context> {
  const found = findContext(await loadContexts(host), name);
  await change(host, (file) => ({ ...file, current_context: name }));
  return found;
}

/** Removes a context with its token. If it was the current one, there is none afterwards. */
export async function removeContext(host: Host, name: string): Promise<Context> {
  const found = findContext(await loadContexts(host), name);
  await change(host, (file) => ({
    ...file,
    current_context: file.current_context === name ? null : file.current_context,
    contexts: file.contexts.filter((context) => context.name !== name),
  }));
  return found;
}

/** @throws CliError if there is no context of this name */
export function findContext({ contexts }: Contexts, name: string): Context {
  const found = contexts.find((context) => context.name === name);
  if (found) return found;
  const known = contexts.map((context) => context.name).join(', ');
  throw new CliError(
    known === ''
      ? `there is no context ${quote(name)}. Log in first, with postern login --endpoint <url>`
      : `there is no context ${quote(name)}. Use one of ${known}, or log in with postern login --context ${name}`,
  );
}

function assertContextName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._@:-]{0,99}$/.test(name)) return;
  throw usageError(`${quote(name)} can't name a context. Use letters, digits, and any of . _ @ : -`);
}

type ConfigFile = z.output<typeof fileSchema>;

async function read(host: Host): Promise<ConfigFile> {
  const path = configPath(host);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return fileSchema.parse({});
    throw unreadable(path, (error as Error).message, error);
  }
  await tighten(host, path);
  let content: unknown;
  try {
    content = parse(text) ?? {};
  } catch (error) {
    // The parser's own message shows the line, which may hold a token.
    const line = (error as { linePos?: readonly { readonly line: number }[] }).linePos?.[0]?.line;
    throw unreadable(path, line === undefined ? 'it is no YAML' : `line ${line} is no YAML`, null);
  }
  const result = fileSchema.safeParse(content);
  if (result.success) return result.data;
  throw unreadable(path, `its ${result.error.issues[0]?.path.join('.') || 'content'} is not valid`, null);
}

function unreadable(path: string, problem: string, cause: unknown): CliError {
  return new CliError(
    `the contexts in ${path} can't be read (${problem}). Mend the file, or delete it and log in again`,
    undefined,
    cause === null ? {} : { cause },
  );
}

/** Closes the file to other users of this machine, because it holds tokens. Windows has no such mode bits. */
async function tighten(host: Host, path: string): Promise<void> {
  if (host.platform === 'win32') return;
  const { mode } = await stat(path);
  if ((mode & OTHERS) === 0) return;
  const was = (mode & 0o777).toString(8).padStart(4, '0');
  try {
    await chmod(path, OWN_ONLY);
    warn(
      host,
      `${path} had mode ${was}, so that others could read its tokens: it is 0600 now. Rotate them if anyone did.`,
    );
  } catch {
    warn(host, `${path} has mode ${was}, so that others may read its tokens, and it can't be changed: chmod 600 it.`);
  }
}

async function change(host: Host, edit: (file: ConfigFile) => ConfigFile): Promise<void> {
  const path = await target(configPath(host));
  await locked(path, async () => write(path, stringify(edit(await read(host)))));
}

/** The real path, so that a link stays a link. Dotfiles are often links. */
async function target(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/** Writes all or nothing: a new file beside the old one takes its name. */
async function write(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(draft, 'wx', OWN_ONLY);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw new CliError(
      `${path} can't be written (${(error as NodeJS.ErrnoException).code ?? 'failed'}). Make its folder writable, or name another file in POSTERN_CONFIG`,
      undefined,
      { cause: error },
    );
  }
}
