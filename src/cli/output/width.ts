import stringWidth from 'string-width';
import { escapeInvisible } from '../../domain/text.js';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
const ELLIPSIS = '…';

/** The columns that a text takes on a terminal: wide characters and emoji take two, marks none. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/**
 * Escapes the characters of a text that could hide or reorder others, and cuts it to a width with `…`. Neither a grapheme nor an
 * escape is divided.
 */
export function fitted(text: string, width: number): string {
  const whole = escapeInvisible(text);
  if (widthOf(whole) <= width) return whole;
  let cut = '';
  let left = width - widthOf(ELLIPSIS);
  for (const { segment } of segmenter.segment(text)) {
    const shown = escapeInvisible(segment);
    left -= widthOf(shown);
    if (left < 0) break;
    cut += shown;
  }
  return cut.trimEnd() + ELLIPSIS;
}
