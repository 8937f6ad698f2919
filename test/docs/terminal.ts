/** Draws lines of a terminal as an SVG that can be read in light and dark. The first line is the command. */
export function terminalPicture(title: string, command: string, output: string): string {
  const lines = [`$ ${command}`, ...output.trimEnd().split('\n')];
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * CHARACTER) + 2 * MARGIN;
  const height = lines.length * LINE + 2 * MARGIN;
  const texts = lines.map((line, index) => {
    const kind = index === 0 ? ' class="command"' : '';
    return `  <text${kind} x="${MARGIN}" y="${MARGIN + (index + 0.75) * LINE}">${escaped(line)}</text>\n`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title" xml:space="preserve">
  <title id="title">${escaped(title)}</title>
  <style>
    text { font: 13px ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; fill: #1f2328; white-space: pre }
    .command { font-weight: 600 }
    rect { fill: #f6f8fa; stroke: #d0d7de }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      rect { fill: #161d27; stroke: #3d4753 }
    }
  </style>
  <rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${texts.join('')}</svg>
`;
}

/** The widest of these fonts, in pixels. */
const CHARACTER = 7.9;
const LINE = 20;
const MARGIN = 18;

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
