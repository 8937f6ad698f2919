import { pathOfTarget } from '../base/target.js';
import { PosternError } from '../domain/errors.js';
import type { Told } from './call.js';
import type { Heard } from './heard.js';

/** A call that nobody can decide: its parts are missing, doubled or ambiguous. The text says which. */
export class Unreadable {
  constructor(readonly problem: string) {}
}

/** `forwarded`: the proxy describes the call in `X-Forwarded-*`. `request`: the question is the call itself. */
export type CallFrom = 'forwarded' | 'request';

/** Where the call of a question is described. */
export interface Source {
  /** `null`: the requirement's host pattern tells. */
  readonly callFrom: CallFrom | null;
  /** Whether the pattern fits a host. */
  readonly fits: (host: string) => boolean;
}

const FORWARDED = ['x-forwarded-method', 'x-forwarded-host', 'x-forwarded-uri'] as const;
/** The names that are usual with nginx. */
const ALSO: Readonly<Record<string, string>> = {
  'x-forwarded-method': 'x-original-method',
  'x-forwarded-uri': 'x-original-uri',
};

/**
 * Reads the call that a proxy asks about.
 *
 * @throws PosternError `input_invalid` if the proxy does not name the call: a fault of its configuration
 */
export function readCall(question: Question, source: Source): Told | Unreadable {
  const own = question.own();
  if (own instanceof Unreadable) return own;
  const { headers } = question;
  const callFrom = source.callFrom ?? guess(headers, own, source);
  if (callFrom instanceof Unreadable) return callFrom;
  if (callFrom === 'request') return toldOf(headers, own);
  const [method, host, target] = FORWARDED.map((name) => forwarded(headers, name));
  if (method == null || host == null || target == null) {
    const missing = FORWARDED.filter((name) => forwarded(headers, name) === null);
    throw new PosternError(
      'input_invalid',
      `the proxy does not set ${missing.join(', ')}: a caller could write them, so no call is let through`,
      { input: 'createGateway' },
    );
  }
  return toldOf(headers, { method, host, target, scheme: headers.get('x-forwarded-proto') ?? 'http' });
}

/**
 * Both a question's own host and a forwarded one can fit the pattern. If they differ, a caller wrote one of them, because the
 * proxy writes one. If they don't, a caller of a proxy whose question is the call may still have described another call.
 */
function guess(headers: Heard, own: Described, { fits }: Source): CallFrom | Unreadable {
  const host = plainHost(own.host);
  // A proxy whose question is the call may read two hosts as one of them.
  if (host === null) return NO_HOST;
  if (!fits(host)) return 'forwarded';
  const named = headers.get('x-forwarded-host');
  if (named === null) return 'request';
  if (plainHost(named) !== host) return new Unreadable('The host is named twice, and not alike.');
  const described = FORWARDED.map((name) => forwarded(headers, name));
  if (described.includes(null)) return 'request';
  // A proxy that describes the call asks with GET, HEAD or the call's own method. So this question is the call.
  const isAlike = ['GET', 'HEAD', described[0]].includes(own.method);
  return isAlike ? 'forwarded' : new Unreadable('The method is named twice, and not alike.');
}

/** The parts of a call as they are told, unchecked. */
export interface Described {
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly scheme: string;
}

/** A question over HTTP, in the form that its transport has it in. */
export interface Question {
  /** The address of the peer's socket, or `'unix:'`. */
  readonly peer: unknown;
  readonly headers: Heard;
  /** The question itself, as a call. */
  own(): Described | Unreadable;
}

export const NO_HOST = new Unreadable('The host is not one host.');
export const NO_PATH = new Unreadable('The path is no path, or has dot segments.');

export const CUT = new Unreadable('The call has too many headers.');

/**
 * The value under either name. Two that differ are joined, which no reader takes: the proxy writes one of them, so a caller wrote the
 * other.
 */
function forwarded(headers: Heard, name: string): string | null {
  const value = headers.get(name);
  const other = ALSO[name] === undefined ? null : headers.get(ALSO[name]);
  return value === null || other === null || value === other ? (value ?? other) : `${value}, ${other}`;
}

/** @param context as in {@link GatewayCall.context} */
export function toldOf(
  headers: Heard,
  { method, host, target, scheme }: Described,
  context: ReadonlyMap<string, string> = new Map(),
): Told | Unreadable {
  const plain = plainHost(host);
  // Two targets are joined with a comma and a blank, and a query may hold anything else.
  const path = target.startsWith('/') && !/\s/.test(target) ? pathOfTarget(target) : null;
  const lower = scheme.toLowerCase();
  if (!/^[A-Z][A-Z_-]{0,31}$/i.test(method)) return new Unreadable('The method is not one method.');
  if (plain === null) return NO_HOST;
  if (path === null) return NO_PATH;
  if (lower !== 'http' && lower !== 'https') return new Unreadable('The scheme is neither http nor https.');
  return { method, host: plain, path, target, scheme: lower, headers, context };
}

/** A host in lower case, without its port and without the dot of a full name; `null` if the text is no single host. */
export function plainHost(text: string): string | null {
  const host = /^([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/.exec(text.toLowerCase())?.[1];
  return host === undefined ? null : host.replace(/\.$/, '');
}
