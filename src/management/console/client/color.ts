/** WCAG 2 contrast, so that an application's own color stays readable in light and dark. */

type Rgb = readonly [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
/** The grounds of the two themes, as in `style/tokens.css`: the ones with the least contrast. */
const LIGHT_GROUND: Rgb = [242, 243, 241];
const DARK_GROUND: Rgb = [38, 43, 41];
/** WCAG 2.2, 1.4.3 */
const READABLE = 4.5;

/** Sets the accent of both themes to an application's color, darker or lighter where needed. */
export function paint(color: string, style: CSSStyleDeclaration): void {
  const rgb = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)) as unknown as Rgb;
  for (const [theme, ground, towards] of [
    ['light', LIGHT_GROUND, BLACK],
    ['dark', DARK_GROUND, WHITE],
  ] as const) {
    const accent = readable(rgb, ground, towards);
    style.setProperty(`--accent-${theme}`, css(accent));
    style.setProperty(`--on-accent-${theme}`, css(contrast(accent, WHITE) >= READABLE ? WHITE : BLACK));
  }
}

/** The color, mixed with as much of `towards` as reading it on `ground` needs. */
export function readable(color: Rgb, ground: Rgb, towards: Rgb): Rgb {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(color, towards, share);
    if (contrast(mixed, ground) >= READABLE) return mixed;
  }
  return towards;
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  return from.map((value, index) => Math.round(value + ((to[index] as number) - value) * share)) as unknown as Rgb;
}

export function contrast(a: Rgb, b: Rgb): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** WCAG 2.2, relative luminance. */
function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function css(color: Rgb): string {
  return `rgb(${color.join(' ')})`;
}
