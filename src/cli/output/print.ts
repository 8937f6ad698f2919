import { Document, visit } from 'yaml';
import { escapeInvisible } from '../../domain/text.js';
import type { Host } from '../host.js';

export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** Prints a value for a program to read, or for a person by way of `table`. */
export function print(host: Host, format: Format, value: unknown, table: () => string): void {
  host.stdout.write(rendered(format, value, table));
}

function rendered(format: Format, value: unknown, table: () => string): string {
  switch (format) {
    case 'json':
      return `${escaped(JSON.stringify(value, null, 2), (pair) => inHex(pair.charCodeAt(0)) + inHex(pair.charCodeAt(1)))}\n`;
    case 'yaml':
      return escaped(yamlOf(value), (character) => `\\U${character.codePointAt(0)?.toString(16).padStart(8, '0')}`);
    case 'table':
      return table();
  }
}

/** Control characters, and those that hide or reorder text. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Both have these escapes, YAML between double quotes. The ends of a format's own lines stay. */
function escaped(text: string, beyond: (character: string) => string): string {
  return text.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character.length === 1 ? inHex(character.charCodeAt(0)) : beyond(character),
  );
}

function inHex(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** What has to be escaped stands between double quotes, the end of a line in someone else's text too. */
function yamlOf(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && INVISIBLE.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER });
}

/** Someone else's names may hold what hides or reorders text on a terminal. */
export function visible(text: string): string {
  return text.split('\n').map(escapeInvisible).join('\n');
}

/** A line for whoever, or whatever, called. */
export function say(host: Host, text: string): void {
  host.stdout.write(`${visible(text)}\n`);
}

/** A remark to whoever watches: never on stdout, which may be someone's input. */
export function note(host: Host, text: string): void {
  host.stderr.write(`${visible(text)}\n`);
}

export function warn(host: Host, text: string): void {
  host.stderr.write(`${paint(host, '33', 'Warning:')} ${visible(text)}\n`);
}

/** Colour by its SGR number, on a terminal only. https://no-color.org: set and not empty turns it off. */
export function paint(host: Host, sgr: string, text: string, to: 'stdout' | 'stderr' = 'stderr'): string {
  const plain = !host[to].isTTY || Boolean(host.env.NO_COLOR) || host.env.TERM === 'dumb';
  return plain ? text : `\u001b[${sgr}m${text}\u001b[0m`;
}

/** How far something long has come, on one line that is written over; nothing where nobody watches. */
export function progress(host: Host): { readonly show: (text: string) => void; readonly end: () => void } {
  if (!host.stderr.isTTY) return { show() {}, end() {} };
  return {
    show: (text) => void host.stderr.write(`\r\u001b[K${visible(text)}`),
    end: () => void host.stderr.write('\r\u001b[K'),
  };
}
