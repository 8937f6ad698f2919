import { readFile } from 'node:fs/promises';
import { MAX_TOKEN_LENGTH } from '../domain/token-format.js';
import { CliError, usageError } from './failure.js';
import type { Host } from './host.js';
import { note } from './output/print.js';
import { askSecret } from './prompts.js';

/** The sources of a token, in order of precedence. */
export interface TokenSources {
  /** A path; `-` is stdin. */
  readonly file?: string | undefined;
  /** A token of the environment or of the context. */
  readonly known?: KnownToken | undefined;
  /**
   * Whether a piped token counts before the known one, which is the login of the command then. Otherwise stdin is left alone
   * beside a known token.
   */
  readonly pipeFirst?: boolean;
  /** The prompt on a terminal. */
  readonly prompt: string;
}

/** A token that a command has without being given one. */
export interface KnownToken {
  readonly token: string;
  /** Its source, for messages. */
  readonly from: string;
}

/** How long a pipe may take to end, in milliseconds. In some CI systems stdin is a pipe that never ends. */
const STDIN_TIMEOUT = 10_000;
/** The same beside a known token. */
const STDIN_TIMEOUT_BESIDE = 2_000;

export function environmentToken({ env }: Host): KnownToken | undefined {
  return env.POSTERN_API_TOKEN ? { token: env.POSTERN_API_TOKEN, from: 'POSTERN_API_TOKEN' } : undefined;
}

/**
 * Reads the token that a command works on. Beside a known token stdin is left alone, so that a command inside `while read` does
 * not take the input of the loop. It need not be on the command line, where every process of the machine could read it.
 *
 * @throws CliError (usage) if no source has one
 */
export async function readToken(host: Host, sources: TokenSources): Promise<string> {
  const { file, known, pipeFirst = false, prompt } = sources;
  if (file === '-') return assertToken(textOf((await readAll(host, STDIN_TIMEOUT)) ?? neverEnds(), 'stdin'), 'stdin');
  if (file !== undefined) return assertToken(textOf(await readTokenFile(file), `the file ${file}`), `the file ${file}`);
  if (known !== undefined) {
    if (pipeFirst && !host.stdin.isTTY) {
      const piped = textOf((await readAll(host, STDIN_TIMEOUT_BESIDE)) ?? Buffer.alloc(0), 'stdin');
      if (piped.trim() !== '') return assertToken(piped, 'stdin');
    }
    if (!host.stdin.isTTY) note(host, `The token is that of ${known.from}. For a piped one, give --token-file -`);
    return assertToken(known.token, known.from);
  }
  if (host.stdin.isTTY && host.stderr.isTTY) return assertToken(await askSecret(host, prompt), 'the typed text');
  const text = host.stdin.isTTY ? '' : textOf((await readAll(host, STDIN_TIMEOUT)) ?? neverEnds(), 'stdin');
  if (text.trim() !== '') return assertToken(text, 'stdin');
  throw usageError('there is no token. Pipe one in, name a file with --token-file, or set POSTERN_API_TOKEN');
}

/** One line of visible ASCII. Guards would refuse anything else, and a line end could make a second header. */
export function assertToken(text: string, from: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token) && token.length <= MAX_TOKEN_LENGTH) return token;
  throw usageError(
    token === ''
      ? `${from} is empty. Give the token itself`
      : `${from} holds no token. Give one line of ASCII, without spaces`,
  );
}

/** The text of a file or of stdin. PowerShell writes UTF-16 with `>`. */
function textOf(bytes: Buffer, from: string): string {
  const isUtf16 = bytes.length >= 2 && (bytes.readUInt16BE(0) === 0xfeff || bytes.readUInt16BE(0) === 0xfffe);
  if (isUtf16 || bytes.includes(0)) {
    throw usageError(`${from} is text in UTF-16. Save it as UTF-8 (in PowerShell: Set-Content -Encoding utf8)`);
  }
  return bytes.toString('utf8');
}

async function readTokenFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError(
      code === 'ENOENT'
        ? `there is no file ${path}. Correct its name`
        : `the file ${path} can't be read (${code ?? 'failed'}). Look at its rights`,
      undefined,
      { cause: error },
    );
  }
}

/** Reads stdin to its end. The result is `null` if that does not come in time. */
async function readAll(host: Host, timeout: number): Promise<Buffer | null> {
  let late: NodeJS.Timeout | undefined;
  const patience = new Promise<null>((resolve) => {
    late = setTimeout(resolve, timeout, null);
  });
  try {
    const read = await Promise.race([bytesOf(host), patience]);
    if (read === null) host.stdin.destroy?.();
    return read;
  } finally {
    clearTimeout(late);
  }
}

function neverEnds(): never {
  throw usageError(
    `stdin is open and did not end in ${STDIN_TIMEOUT / 1000} seconds. Pipe a token in, name a file with --token-file, or set POSTERN_API_TOKEN`,
  );
}

async function bytesOf(host: Host): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of host.stdin) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > 2 * MAX_TOKEN_LENGTH) throw usageError('stdin holds more than a token. Give the token alone');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** Shortens a token for a screen: enough to recognise it, too little to use it. */
export function shortened(token: string): string {
  const start = token.startsWith('ey') ? 6 : token.indexOf('_') + 5;
  return start > 4 && token.length > start + 8 ? `${token.slice(0, start)}…` : '…';
}
