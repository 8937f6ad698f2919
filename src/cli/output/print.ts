import { stringify } from 'yaml';
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
      return `${JSON.stringify(value, null, 2)}\n`;
    case 'yaml':
      return stringify(value, { lineWidth: 0 });
    case 'table':
      return table();
  }
}

/** A remark to whoever watches: never on stdout, which may be someone's input. */
export function note(host: Host, text: string): void {
  host.stderr.write(`${text}\n`);
}

export function warn(host: Host, text: string): void {
  host.stderr.write(`${paint(host, '33', 'Warning:')} ${text}\n`);
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
    show: (text) => void host.stderr.write(`\r\u001b[K${text}`),
    end: () => void host.stderr.write('\r\u001b[K'),
  };
}
