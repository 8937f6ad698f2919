import { inTurn } from '../../base/turns.js';

/** The JSON of an answer, in pieces. The items of its lists are written in turns, because a page may be large. */
export async function toJson(body: object): Promise<string[]> {
  const pieces: string[] = [];
  for (const [key, value] of Object.entries(body)) {
    if (value === undefined) continue;
    pieces.push(pieces.length === 0 ? '{' : ',', JSON.stringify(key), ':');
    if (!Array.isArray(value)) pieces.push(JSON.stringify(value));
    else {
      const items = await inTurn(value, (item) => JSON.stringify(item) ?? 'null');
      pieces.push('[', ...items.flatMap((item, index) => (index === 0 ? item : [',', item])), ']');
    }
  }
  return [...(pieces.length === 0 ? ['{'] : pieces), '}'];
}
