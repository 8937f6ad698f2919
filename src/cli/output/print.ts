import { Document, visit } from 'yaml';
import { escapeInvisible } from '../../domain/text.js';
import type { Host } from '../host.js';
import { paint } from './style.js';

export const FORMATS = ['table', 'wide', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** Prints a value: as JSON or YAML for programs, or with `table` for people. `wide` is a table with everything in it. */
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
    case 'wide':
      return table();
  }
}

/** Control characters, and those that hide or reorder text. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** JSON and (in double quotes) YAML share these escapes. Line ends of the format itself stay. */
function escaped(text: string, beyond: (character: string) => string): string {
  return text.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character.length === 1 ? inHex(character.charCodeAt(0)) : beyond(character),
  );
}

function inHex(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Texts with invisible characters, line ends too, are put in double quotes so that they can be escaped. */
function yamlOf(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && INVISIBLE.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER });
}

/** Escapes characters that hide or reorder text on a terminal: names come from other people. */
export function visible(text: string): string {
  return text.split('\n').map(escapeInvisible).join('\n');
}

/** Prints a line of the result to stdout. */
export function say(host: Host, text: string): void {
  host.stdout.write(`${visible(text)}\n`);
}

/** Prints a remark to stderr, because stdout may be another program's input. */
export function note(host: Host, text: string): void {
  host.stderr.write(`${visible(text)}\n`);
}

export function warn(host: Host, text: string): void {
  host.stderr.write(`${paint(host, 'yellow', 'Warning:')} ${visible(text)}\n`);
}

/** Shows the progress of long work on one line. Does nothing without a terminal. */
export function progress(host: Host): { readonly show: (text: string) => void; readonly end: () => void } {
  if (!host.stderr.isTTY) return { show() {}, end() {} };
  return {
    show: (text) => void host.stderr.write(`\r\u001b[K${visible(text)}`),
    end: () => void host.stderr.write('\r\u001b[K'),
  };
}
