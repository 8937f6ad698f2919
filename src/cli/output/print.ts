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
      return `${escaped(JSON.stringify(value, null, 2))}\n`;
    case 'yaml':
      return escaped(yamlOf(value));
    case 'table':
      return table();
  }
}

/** Control characters, and those that hide or reorder text, but for the end of a line. */
const INVISIBLE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** With the escapes that JSON has, and YAML between double quotes. */
function escaped(text: string): string {
  return text.replace(new RegExp(INVISIBLE, 'gu'), (character) =>
    Array.from({ length: character.length }, (_, index) => {
      const code = character.charCodeAt(index).toString(16);
      return `\\u${code.padStart(4, '0')}`;
    }).join(''),
  );
}

/** What has to be escaped stands between double quotes. */
function yamlOf(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && INVISIBLE.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
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
