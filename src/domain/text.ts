/**
 * Makes someone else's text safe for a message or a terminal. Control and bidirectional formatting characters are escaped,
 * because they could hide or reorder text. A long text is cut.
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

/**
 * Cuts everything that looks like a credential out of a text. A message about a mistyped option may repeat the input, and a
 * database client may repeat its address.
 */
export function redact(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9]{1,15}_[0-9A-Za-z]{4})[0-9A-Za-z]{45}\b/g, '$1…')
    .replace(/(?<![\w-])[\w-]+(?:\.[\w-]+){2,}/g, withoutJwt)
    .replace(/([a-z0-9+.-]:\/\/)[^\s/@]*@/gi, '$1…@');
}

/** Parts with dots between them, without those of a JWT: its header begins with `{"`, so its text with `ey`. */
function withoutJwt(parts: string): string {
  const start = parts.search(/\bey[\w-]{4}/);
  const isJwt = start >= 0 && parts.split('.').length - parts.slice(0, start).split('.').length >= 2;
  return isJwt ? `${parts.slice(0, start + 6)}…` : parts;
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : String(value);
}
