/**
 * Names as one text in which each can be found exactly: JSON strings, a line each, every one between two line ends. JSON
 * escapes line ends, so no name can look like two, nor like a part of another one.
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
        // Changed by hand. It is there to filter by, and decides nothing: the page is worth more than the name.
        return line;
      }
    });
}
