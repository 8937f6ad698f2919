import { ownCopy } from '../../base/check.js';
import { readBounded } from '../../base/read-bounded.js';
import { Problem } from './problem.js';

/** The largest accepted body, in bytes. */
export const MAX_BODY = 64 * 1024;

/** A body as it came. */
export interface Sent {
  readonly bytes: Uint8Array;
  /** Its `Content-Type`. */
  readonly type: string;
}

/** @throws Problem 400, 413 */
export async function readSent({ headers, body }: Request): Promise<Sent> {
  if (Number(headers.get('content-length') ?? 0) > MAX_BODY) throw tooLarge();
  const bytes = await readBounded(body, MAX_BODY).catch(() => {
    throw new Problem(400, 'input_invalid', 'The body broke off.');
  });
  if (bytes === null) throw tooLarge();
  return { bytes, type: headers.get('content-type') ?? '' };
}

/**
 * The JSON object of a body; `{}` for an empty one. The `Content-Type` must be JSON, because a page of another site can send other
 * types without a preflight.
 *
 * @throws Problem 400, 415
 */
export function readJson(sent: Sent): unknown {
  const text = readText(sent, 'application/json');
  if (text === null) return {};
  try {
    return parseJson(text);
  } catch {
    throw new Problem(400, 'input_invalid', 'The body is not JSON: send one object.');
  }
}

/** JSON whose objects, at every depth, inherit nothing: a polluted `Object.prototype` adds no field. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => ownCopy(value));
}

/**
 * The fields of a form (RFC 6749 appendix B); `{}` for an empty body.
 *
 * @throws Problem 400 (also for a field that comes twice: RFC 6749 section 3.2), 415
 */
export function readForm(sent: Sent): Readonly<Record<string, string>> {
  const text = readText(sent, 'application/x-www-form-urlencoded');
  return fieldsOf(new URLSearchParams(text ?? ''), 'body');
}

/** Each name may come once, because nobody could tell which of two is meant. @throws Problem 400 */
export function fieldsOf(params: URLSearchParams, where: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of params) {
    if (Object.hasOwn(fields, name)) {
      const shown = /^\w{1,40}$/.test(name) ? name : 'A parameter';
      throw new Problem(400, 'input_invalid', `${shown} comes twice in the ${where}: send it once.`, { path: name });
    }
    fields[name] = value;
  }
  return fields;
}

function readText({ bytes, type: given }: Sent, type: string): string | null {
  if (bytes.length === 0) return null;
  if (given.split(';', 1)[0]?.trim().toLowerCase() !== type) {
    throw new Problem(415, 'content_type_unsupported', `Send the body as ${type}, and say so in Content-Type.`, {
      headers: { accept: type },
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Problem(400, 'input_invalid', 'The body is not UTF-8.');
  }
}

function tooLarge(): Problem {
  return new Problem(413, 'body_too_large', `The body is larger than ${MAX_BODY / 1024} KiB.`);
}
