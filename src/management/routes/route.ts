import type * as z from 'zod';
import { ownCopy } from '../../base/check.js';
import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import type { Library } from '../permissions.js';
import type { Owners } from '../wire/owners.js';

/** One request, read and checked. */
export interface Call<Query = unknown, Body = unknown> {
  readonly context: Context;
  readonly request: Request;
  /** The path's values for `{name}`, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** The caller's address, for the audit log; `null` if it is unknown. */
  readonly from: string | null;
  /** The public origin. */
  readonly origin: string;
  /** Whether browsers reach this over https. */
  readonly secure: boolean;
  readonly owners: Owners;
}

/** One request of a known caller. */
export interface CallerCall<Query = unknown, Body = unknown> extends Call<Query, Body> {
  readonly caller: Caller;
  /** The library, limited to the caller's rights. */
  readonly library: Library;
}

/** An answer: 200 with JSON, or a whole response. */
export type Reply = { readonly body: unknown; readonly headers?: Readonly<Record<string, string>> } | Response;

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
type Schema = z.ZodType;

interface Common<Query extends Schema, Body extends Schema> {
  readonly method: Method;
  readonly path: string;
  /** The operation's id in the OpenAPI document. `summary` describes it there. */
  readonly id: string;
  readonly summary: string;
  readonly tag: string;
  readonly query?: Query;
  /** The schema of a JSON body. */
  readonly body?: Body;
  /** The schema of a form, in place of JSON. */
  readonly form?: Body;
  readonly answer: Schema;
  /** Statuses of refusals, beyond the common ones. */
  readonly refusals?: readonly number[];
  /** Whether refusals have the form of RFC 6749 section 5.2 in place of a problem. */
  readonly oauth?: boolean;
  /** A GET that uses something up, so HEAD is not allowed. */
  readonly once?: boolean;
}

export interface OpenRoute<Query extends Schema, Body extends Schema> extends Common<Query, Body> {
  readonly access: 'open';
  /** Whether a change must come from a page of this server. */
  readonly sameOrigin?: boolean;
  handle(call: Call<z.output<Query>, z.output<Body>>): Promise<Reply>;
}

export interface CallerRoute<Query extends Schema, Body extends Schema> extends Common<Query, Body> {
  readonly access: 'caller';
  /** Refuses callers without the right, whatever they sent. @throws Problem 403 */
  permit?(context: Context, caller: Caller): void;
  handle(call: CallerCall<z.output<Query>, z.output<Body>>): Promise<Reply>;
}

// biome-ignore lint/suspicious/noExplicitAny: routes of every query and body stand in one table
export type Route = OpenRoute<any, any> | CallerRoute<any, any>;

/** A route that needs a caller. */
export function route<Query extends Schema, Body extends Schema>(
  spec: Omit<CallerRoute<Query, Body>, 'access'>,
): Route {
  return bare({ ...spec, access: 'caller' });
}

/** A route that needs no caller. */
export function openRoute<Query extends Schema, Body extends Schema>(
  spec: Omit<OpenRoute<Query, Body>, 'access'>,
): Route {
  return bare({ ...spec, access: 'open' });
}

/** Without a prototype, so that omitted fields are not read from `Object.prototype`. */
function bare(spec: Route): Route {
  return Object.freeze(ownCopy(spec));
}
