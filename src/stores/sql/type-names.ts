/**
 * Names as one text in which each name can be found exactly: JSON strings, one a line, each between two line ends. JSON escapes
 * line ends, so no name can look like two names, or like a part of another one.
 */
export function encodeTypeNames(names: readonly string[]): string {
  return names.length === 0 ? '' : `\n${names.map((name) => JSON.stringify(name)).join('\n')}\n`;
}

export function decodeTypeNames(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return String(JSON.parse(line));
      } catch {
        // Damaged. It is used for filtering only, so the page is still returned.
        return line;
      }
    });
}
