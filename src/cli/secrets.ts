import { readFile } from 'node:fs/promises';
import { MAX_TOKEN_LENGTH } from '../domain/token-format.js';
import { CliError, usageError } from './failure.js';
import type { Host } from './host.js';
import { askSecret } from './prompts.js';

/** The sources of a token, in order of precedence. */
export interface TokenSources {
  /** A path; `-` is stdin. */
  readonly file?: string | undefined;
  /** Whether piped input is the token. */
  readonly piped?: boolean;
  /** A token of the environment or of the context. */
  readonly fallback?: string | undefined;
  /** The prompt on a terminal. */
  readonly prompt: string;
}

/**
 * Reads the token that a command works on. It need not be on the command line, where every process of the machine could read it.
 *
 * @throws CliError (usage) if no source has one
 */
export async function readToken(host: Host, sources: TokenSources): Promise<string> {
  const { file, piped = true, fallback, prompt } = sources;
  if (file === '-') return assertToken(await readAll(host), 'stdin');
  if (file !== undefined) return assertToken(await readTokenFile(file), `the file ${file}`);
  if (piped && !host.stdin.isTTY) {
    const text = await readAll(host);
    if (text.trim() !== '') return assertToken(text, 'stdin');
  }
  if (fallback) return assertToken(fallback, 'POSTERN_API_TOKEN');
  if (host.stdin.isTTY && host.stderr.isTTY) return assertToken(await askSecret(host, prompt), 'the typed text');
  throw usageError('there is no token: pipe one in, name a file with --token-file, or set POSTERN_API_TOKEN');
}

/** One line of visible ASCII. Guards would refuse anything else, and a line end could make a second header. */
export function assertToken(text: string, from: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token) && token.length <= MAX_TOKEN_LENGTH) return token;
  throw usageError(
    token === ''
      ? `${from} is empty: give the token itself`
      : `${from} holds no token: give one line of ASCII, without spaces`,
  );
}

async function readTokenFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError(
      code === 'ENOENT'
        ? `there is no file ${path}: correct its name`
        : `the file ${path} can't be read (${code ?? 'failed'}): look at its rights`,
      undefined,
      { cause: error },
    );
  }
}

async function readAll(host: Host): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of host.stdin) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > 2 * MAX_TOKEN_LENGTH) throw usageError('stdin holds more than a token: give the token alone');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Shortens a token for a screen: enough to recognise it, too little to use it. */
export function shortened(token: string): string {
  const start = token.startsWith('ey') ? 6 : token.indexOf('_') + 5;
  return start > 4 && token.length > start + 8 ? `${token.slice(0, start)}…` : '…';
}
