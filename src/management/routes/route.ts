import type { z } from 'zod';
import { ownCopy } from '../../base/check.js';
import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import type { Library } from '../permissions.js';
import type { Owners } from '../wire/owners.js';

/** One request, read and checked. */
export interface Call<Query = unknown, Body = unknown> {
  readonly context: Context;
  readonly request: Request;
  /** What stands in the path for `{name}`, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** From where, for the audit log; `null` where it is not known. */
  readonly from: string | null;
  /** The public origin. */
  readonly origin: string;
  /** Whether browsers reach this over https. */
  readonly secure: boolean;
  readonly owners: Owners;
}

/** The same in someone's name. */
export interface CallerCall<Query = unknown, Body = unknown> extends Call<Query, Body> {
  readonly caller: Caller;
  /** The library in the caller's hands. */
  readonly library: Library;
}

/** What is answered: 200 with JSON, unless it is a response already. */
export type Reply = { readonly body: unknown; readonly headers?: Readonly<Record<string, string>> } | Response;

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
type Schema = z.ZodType;

interface Common<Query extends Schema, Body extends Schema> {
  readonly method: Method;
  readonly path: string;
  /** Name of the operation, and what it does, for the OpenAPI document. */
  readonly id: string;
  readonly summary: string;
  readonly tag: string;
  readonly query?: Query;
  /** Of JSON. */
  readonly body?: Body;
  /** Of a form, in place of JSON. */
  readonly form?: Body;
  readonly answer: Schema;
  /** Statuses of refusals beyond those that every route has. */
  readonly refusals?: readonly number[];
  /** What is refused says it in the words of RFC 6749 section 5.2, not as a problem. */
  readonly oauth?: boolean;
  /** A GET that uses something up: HEAD is no way to ask for it. */
  readonly once?: boolean;
}

export interface OpenRoute<Query extends Schema, Body extends Schema> extends Common<Query, Body> {
  readonly access: 'open';
  /** Where it changes something for a browser: it must be asked for by a page of this server. */
  readonly sameOrigin?: boolean;
  handle(call: Call<z.output<Query>, z.output<Body>>): Promise<Reply>;
}

export interface CallerRoute<Query extends Schema, Body extends Schema> extends Common<Query, Body> {
  readonly access: 'caller';
  /** Refuses callers by what they hold, whatever they sent. @throws Problem 403 */
  permit?(context: Context, caller: Caller): void;
  handle(call: CallerCall<z.output<Query>, z.output<Body>>): Promise<Reply>;
}

// biome-ignore lint/suspicious/noExplicitAny: routes of every query and body stand in one table
export type Route = OpenRoute<any, any> | CallerRoute<any, any>;

/** A route for whoever `identify` names. */
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

/** What a route leaves out is not looked for in `Object.prototype`. */
function bare(spec: Route): Route {
  return Object.freeze(ownCopy(spec));
}
