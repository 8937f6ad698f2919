import type { Problem } from './problem.js';

/** The codes of RFC 6749 section 5.2, RFC 7009 section 2.2.1, RFC 8707 section 2, RFC 9396 section 14.6 and RFC 9449 section 5 that are used here. */
export type OAuthCode =
  | 'invalid_authorization_details'
  | 'invalid_dpop_proof'
  | 'invalid_request'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unsupported_grant_type'
  | 'unsupported_token_type';

/** A refusal in OAuth's form. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: OAuthCode;

  constructor(code: OAuthCode, description: string) {
    super(description);
    this.code = code;
  }

  toResponse(): Response {
    return oauthAnswer(this.code, this.message);
  }
}

/** Renders a problem of status 400 as `invalid_request`. Other statuses stay problems. */
export function asOAuth(problem: Problem): Response {
  return problem.status === 400 ? oauthAnswer('invalid_request', problem.message) : problem.toResponse();
}

function oauthAnswer(error: OAuthCode, description: string): Response {
  // The characters that a description may have (RFC 6749 section 5.2).
  const described = description.replaceAll('"', "'").replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?');
  return new Response(JSON.stringify({ error, error_description: described }), {
    status: 400,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
  });
}
