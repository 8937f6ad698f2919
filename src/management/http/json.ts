import { inTurn } from '../../base/turns.js';

/** The JSON of an answer. The items of its lists are written in turns, because a page may be large. */
export async function toJson(body: object): Promise<string> {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(body)) {
    if (value === undefined) continue;
    const text = Array.isArray(value)
      ? `[${(await inTurn(value, (item) => JSON.stringify(item) ?? 'null')).join(',')}]`
      : JSON.stringify(value);
    parts.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${parts.join(',')}}`;
}
