import type * as z from 'zod';
import { isPosternError, type PosternErrorCode } from '../../domain/errors.js';
import { keyOfProof } from '../../jwt/dpop.js';
import type { Context } from '../context.js';
import { parseJson } from '../http/body.js';
import { type OAuthCode, OAuthError } from '../http/oauth-error.js';
import type { TokenExchange } from '../options.js';
import { wireSentence } from '../wire/fields.js';
import { authorizationDetails, exchangeAnswer, exchangeForm, jwksAnswer } from '../wire/oauth-schemas.js';
import { openRoute, type Route } from './route.js';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const tag = 'OAuth';

/** Refusals of the exchange as OAuth codes. All other errors are faults. */
const CODES: Partial<Readonly<Record<PosternErrorCode, OAuthCode>>> = {
  // A subject token that is not valid is an invalid request (RFC 8693 section 2.2.2).
  input_invalid: 'invalid_request',
  token_unknown: 'invalid_request',
  token_expired: 'invalid_request',
  token_revoked: 'invalid_request',
  scope_unknown: 'invalid_scope',
  scope_missing: 'invalid_scope',
  endpoint_unknown: 'invalid_authorization_details',
  endpoint_not_granted: 'invalid_authorization_details',
};

type Form = z.output<typeof exchangeForm>;

/** The exchange of API tokens for access tokens, and the keys that verify these. */
export function exchangeRoutes(context: Context, accessTokens: TokenExchange): readonly Route[] {
  return [
    openRoute({
      method: 'POST',
      path: '/oauth/token',
      id: 'exchangeToken',
      summary: 'Exchanges an API token, or one derived from it, for a short-lived access token (RFC 8693)',
      tag,
      oauth: true,
      form: exchangeForm,
      answer: exchangeAnswer,
      async handle({ request, body }) {
        const { subjectToken, options } = readForm(body);
        assertTarget(body, accessTokens.audience);
        // Checking a proof writes to the store, so callers without a valid token are refused first.
        const { active } = await context.postern.introspect(subjectToken);
        const dpopKey = active ? await provenKey(context, request) : null;
        const issued = await accessTokens
          .exchange(context.postern, subjectToken, { ...options, ...(dpopKey !== null && { dpopKey }) })
          .catch((error: unknown): never => {
            throw inOAuthWords(error);
          });
        return {
          body: {
            access_token: issued.accessToken,
            issued_token_type: ACCESS_TOKEN,
            token_type: issued.tokenType ?? 'Bearer',
            expires_in: secondsUntil(issued.expiresAt, context.ground.time.read()),
            scope: issued.scope ?? '',
          },
        };
      },
    }),

    openRoute({
      method: 'GET',
      path: '/.well-known/jwks.json',
      id: 'jwks',
      summary: 'The public keys of access tokens (RFC 7517)',
      tag,
      answer: jwksAnswer,
      async handle({ request }) {
        // The handler's cache headers follow the rotation of the keys.
        if (accessTokens.jwksHandler) return accessTokens.jwksHandler(request);
        return { body: await accessTokens.jwks(), headers: { 'cache-control': 'public, max-age=300' } };
      },
    }),
  ];
}

/**
 * The key to bind the token to, if the request proves possession of one (RFC 9449 section 5).
 *
 * @throws OAuthError `invalid_dpop_proof`
 */
async function provenKey({ ground, settings }: Context, request: Request): Promise<object | null> {
  const jwt = request.headers.get('dpop');
  if (jwt === null) return null;
  const { origin, pathname } = new URL(request.url);
  const { method } = request;
  const origins = [settings.origin ?? origin];
  const key = await keyOfProof({ jwt, method, target: pathname, origins, store: ground.store }, ground.time.read());
  if (key !== null) return key;
  throw new OAuthError('invalid_dpop_proof', 'The proof in DPoP is not valid: make a new one for each request.');
}

/** @throws OAuthError */
function readForm(form: Form) {
  if (form.grant_type !== GRANT_TYPE) {
    throw new OAuthError('unsupported_grant_type', `Use the grant_type ${GRANT_TYPE}.`);
  }
  const { subject_token: subjectToken, subject_token_type: type, requested_token_type: requested } = form;
  if (subjectToken === undefined)
    throw new OAuthError('invalid_request', 'subject_token is missing: send the API token.');
  if (type !== ACCESS_TOKEN && type !== JWT) {
    throw new OAuthError('invalid_request', `subject_token_type must be ${ACCESS_TOKEN}.`);
  }
  if (requested !== undefined && requested !== ACCESS_TOKEN && requested !== JWT) {
    throw new OAuthError('invalid_request', `requested_token_type can only be ${ACCESS_TOKEN}.`);
  }
  if (form.actor_token !== undefined) {
    throw new OAuthError('invalid_request', 'Delegation is not supported: leave actor_token out.');
  }
  const scopes = form.scope === undefined ? [] : form.scope.split(' ').filter((scope) => scope !== '');
  const endpoints = endpointsOf(form.authorization_details);
  return {
    subjectToken,
    options: { ...(scopes.length > 0 && { scopes }), ...(endpoints.length > 0 && { endpoints: allOr(endpoints) }) },
  };
}

/** Counted from the whole second, like `iat`. */
function secondsUntil(end: Date, now: number): number {
  return Math.floor(end.getTime() / 1000) - Math.floor(now / 1000);
}

function allOr(endpoints: readonly string[]): '*' | readonly string[] {
  return endpoints.includes('*') ? '*' : endpoints;
}

/** @throws OAuthError */
function endpointsOf(details: string | undefined): readonly string[] {
  if (details === undefined) return [];
  let parsed: unknown;
  try {
    parsed = parseJson(details);
  } catch {}
  const read = authorizationDetails.safeParse(parsed);
  if (read.success) return read.data.map(({ identifier }) => identifier);
  const form = '[{"type":"endpoint_access","identifier":"<endpoint id>"}]';
  throw new OAuthError('invalid_authorization_details', `authorization_details must be JSON such as ${form}.`);
}

function inOAuthWords(error: unknown): unknown {
  if (!isPosternError(error)) return error;
  const code = CODES[error.code];
  return code === undefined ? error : new OAuthError(code, wireSentence(error));
}

/**
 * Refuses a request for another audience than ours (RFC 8707 section 2).
 *
 * @throws OAuthError
 */
function assertTarget({ resource, audience }: Form, ours: string): void {
  const stranger = [resource, audience].find((target) => target !== undefined && target !== ours);
  if (stranger !== undefined)
    throw new OAuthError('invalid_target', 'No tokens for this resource or audience are issued here.');
}
