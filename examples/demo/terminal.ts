/** Where the demo writes: colours and columns on a terminal, plain lines in a pipe. */
export interface Terminal {
  readonly isTTY: boolean;
  heading(text: string): void;
  line(text?: string): void;
  /** A line that is less important than others. */
  note(text: string): void;
  /** A line that someone copies: nothing is put before or into it. */
  paste(text: string): void;
  paint(style: Style, text: string): string;
}

export type Style = keyof typeof CODES;

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** `NO_COLOR` with any value that is not empty: columns, but no colours (https://no-color.org). */
export function createTerminal(output: Output, env: Readonly<Record<string, string | undefined>>): Terminal {
  const isTTY = output.isTTY === true;
  const colours = isTTY && !env.NO_COLOR && env.TERM !== 'dumb';
  const paint = (style: Style, text: string) => {
    const [on, off] = CODES[style];
    return colours && text !== '' ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  };
  const line = (text = '') => void output.write(`${text}\n`);
  return {
    isTTY,
    paint,
    line,
    heading(text) {
      line();
      line(paint('bold', text));
    },
    note: (text) => line(paint('dim', text)),
    paste: (text) => line(paint('cyan', text)),
  };
}
