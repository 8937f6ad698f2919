/**
 * Someone else's text, made fit to stand in a message or on a terminal: control and bidirectional formatting characters
 * are escaped (they could hide or reorder what is shown), and a long text is cut.
 */
export function quote(value: unknown, limit = 60): string {
  const text = typeof value === 'string' ? value : describe(value);
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return `"${escapeInvisible(cut)}"`;
}

/** Escapes control, bidirectional and other invisible formatting characters as `\u{…}`. */
export function escapeInvisible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : String(value);
}
