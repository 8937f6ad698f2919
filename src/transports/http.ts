import * as z from 'zod';
import { check, unpolluted } from '../base/check.js';
import type { Denied } from '../domain/decision.js';
import type { Requirement } from '../domain/requirement.js';
import type { Proof } from '../ports/authenticator.js';
import { withScopes } from './ask.js';
import { readFetchCredential, readHeaders } from './fetch-credential.js';
import { credentialOptions, type GuardOptions, type HttpGuardOptions, httpOptions, placesOf } from './guard-options.js';
import { httpAnswers } from './http-answer.js';
import { readNodeCredential } from './node-credential.js';
import type { NodeRequest } from './node-request.js';
import type { HttpAnswer } from './problem.js';

/** The credential of a request, as `authorize` takes it. */
export interface HttpCredential {
  /** `null` where none came. */
  readonly token: string | null;
  /** A credential came, but not one well-formed one. */
  readonly malformed: boolean;
  /** What came with a token of the scheme `DPoP`; `null`: it came as a plain bearer token. */
  readonly proof: Proof | null;
}

/** Headers, or a request that has them. */
export type HeadersLike = Headers | NodeRequest['headers'] | NodeRequest | Pick<Request, 'headers' | 'url'>;

/** Options of `readCredential`. */
export interface CredentialOptions extends Pick<GuardOptions<never>, 'header' | 'otherAuthorization'> {
  /** Path and query of the request, for a proof of possession, where headers alone are given. */
  readonly target?: string | undefined;
}

const credentialSchema = z.strictObject({ ...credentialOptions, target: z.string().default('') });
const answerSchema = z.strictObject({ ...httpOptions, requirement: z.custom<Requirement>().nullable().default(null) });

/** Options of `answerTo`. */
export interface AnswerOptions extends Pick<HttpGuardOptions<never>, 'realm' | 'resourceMetadata'> {
  /** The requirement of the call. The challenge of a 401 then names its scopes, as that of every guard does. */
  readonly requirement?: Requirement | undefined;
}

/**
 * The credential of an HTTP request, read as every guard reads it: for a framework that has no entry here. Give the request
 * itself where there is one. Node drops a second `Authorization` from `request.headers`, and only the request still shows it.
 *
 * @example
 * const decision = await postern.authorize({ ...readCredential(request), method: request.method, requirement });
 * if (!decision.allowed) send(answerTo(decision));
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function readCredential(from: HeadersLike, options: CredentialOptions = {}): HttpCredential {
  const given = check(credentialSchema, options, 'readCredential', 'option_invalid');
  const { target } = given;
  const header = placesOf(given.header, given.otherAuthorization);
  const credential = isRequest(from)
    ? isFetchHeaders(from.headers)
      ? readFetchCredential(from as Request, header)
      : readNodeCredential(from as NodeRequest, header)
    : isFetchHeaders(from)
      ? readHeaders(from, () => target, header)
      : readNodeCredential({ headers: from as NodeRequest['headers'], url: target }, header);
  return credential as HttpCredential;
}

/**
 * What to answer a denied request: the status, the headers with the challenge of RFC 6750, and the body
 * (`application/problem+json`, RFC 9457), as every guard answers.
 *
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function answerTo(denied: Denied, options: AnswerOptions = {}): HttpAnswer {
  const { requirement, ...challenge } = check(answerSchema, options, 'answerTo', 'option_invalid');
  return httpAnswers(challenge)(withScopes(denied, requirement));
}

function isRequest(from: HeadersLike): from is NodeRequest | Request {
  const headers: unknown = unpolluted(from as NodeRequest, 'headers');
  // A header can be named `headers` too: it is a text, or a list of texts.
  return typeof headers === 'object' && headers !== null && !Array.isArray(headers);
}

function isFetchHeaders(headers: object): headers is Headers {
  return typeof unpolluted(headers as Headers, 'get') === 'function';
}
