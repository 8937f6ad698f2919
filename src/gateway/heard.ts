import { trimmed } from '../transports/node-request.js';

/** The headers of a question, in the form that its transport has them in. `Headers` is one. */
export interface Heard {
  /** Several of one name are joined with a comma. @param name in lower case */
  get(name: string): string | null;
  keys(): Iterable<string>;
}

export function toHeaders(heard: Heard): Headers {
  if (heard instanceof Headers) return heard;
  const headers = new Headers();
  for (const name of heard.keys()) headers.append(name, heard.get(name) as string);
  return headers;
}

const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** What `Headers` refuses in a value. */
const UNFIT = /[\0\r\n]|[^\0-\xff]/;

/**
 * Headers that came as pairs, read as `Headers` reads them.
 *
 * @returns `null` if one can't be read
 */
export function heardIn(pairs: Iterable<readonly [name: string, value: string | null]>): Heard | null {
  const values = new Map<string, string>();
  for (const [given, value] of pairs) {
    const name = given.toLowerCase();
    if (value === null || UNFIT.test(value) || !NAME.test(name)) return null;
    const text = trimmed(value);
    const before = values.get(name);
    values.set(name, before === undefined ? text : `${before}${name === 'cookie' ? ';' : ','} ${text}`);
  }
  return { get: (name) => values.get(name) ?? null, keys: () => values.keys() };
}
