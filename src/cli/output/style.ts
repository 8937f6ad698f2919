import type { Host } from '../host.js';

/** Select Graphic Rendition numbers (ECMA-48 section 8.3.117). */
const SGR = { green: 32, yellow: 33, red: 31, dim: 2 } as const;

/** A colour with a meaning: green is good, yellow needs attention, red is wrong or at its end, dim is unimportant. */
export type Style = keyof typeof SGR;

/** Colours text for a stream, if the stream shows colours. */
export function paint(host: Host, style: Style, text: string, to: 'stdout' | 'stderr' = 'stderr'): string {
  return hasColors(host, to) ? `\u001b[${SGR[style]}m${text}\u001b[0m` : text;
}

/**
 * `NO_COLOR` (https://no-color.org) takes precedence over `FORCE_COLOR`. Both count only if they are not empty. Without them, a
 * terminal has colours unless `TERM` is `dumb`.
 */
function hasColors(host: Host, to: 'stdout' | 'stderr'): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = host.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return host[to].isTTY === true && TERM !== 'dumb';
}
