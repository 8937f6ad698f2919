import type { DenialReason } from 'postern';
import type { Target } from './targets.js';
import type { TokenName } from './world.js';

type TokenOf = (tokens: Readonly<Record<TokenName, string>>) => string | readonly string[] | undefined;

export interface Case {
  readonly name: string;
  readonly target: Target;
  /** The values of the `Authorization` headers, one for each header. */
  readonly authorization: TokenOf;
  readonly inside?: boolean;
  readonly storeDown?: boolean;
  readonly expected: 'allowed' | DenialReason;
  /** The scopes named by the challenge. */
  readonly scopes?: string;
  /** The transports whose library hides or refuses the credential before a guard sees it. */
  readonly notOver?: readonly 'grpc'[];
}

const none: TokenOf = () => undefined;
const bearer =
  (name: TokenName): TokenOf =>
  (tokens) =>
    `Bearer ${tokens[name]}`;
const raw =
  (value: string): TokenOf =>
  () =>
    value;

/** The table of cases for every guard. */
export const CASES: readonly Case[] = [
  // Allowed.
  { name: 'a user token on its endpoint', target: 'summarizer', authorization: bearer('user'), expected: 'allowed' },
  { name: 'a user token for all endpoints', target: 'summarizer', authorization: bearer('all'), expected: 'allowed' },
  { name: 'a scope held', target: 'write-models', authorization: bearer('developer'), expected: 'allowed' },
  { name: 'a scope included', target: 'read-models', authorization: bearer('developer'), expected: 'allowed' },
  {
    name: 'a scope in the own organization',
    target: 'models-of-mine',
    authorization: bearer('developer'),
    expected: 'allowed',
  },
  { name: 'two scopes held', target: 'two-scopes', authorization: bearer('all'), expected: 'allowed' },
  { name: 'any valid token', target: 'anyone', authorization: bearer('user'), expected: 'allowed' },
  {
    name: 'the scheme in lower case',
    target: 'summarizer',
    authorization: ({ user }) => `bearer ${user}`,
    expected: 'allowed',
  },
  {
    name: 'the scheme in upper case',
    target: 'summarizer',
    authorization: ({ user }) => `BEARER ${user}`,
    expected: 'allowed',
  },
  {
    name: 'several spaces after the scheme',
    target: 'summarizer',
    authorization: ({ user }) => `Bearer   ${user}`,
    expected: 'allowed',
  },
  { name: 'a public endpoint without a credential', target: 'status', authorization: none, expected: 'allowed' },
  {
    name: 'a public endpoint with a revoked token',
    target: 'status',
    authorization: bearer('revoked'),
    expected: 'allowed',
  },
  {
    name: 'a public endpoint with a malformed credential',
    target: 'status',
    authorization: raw('Bearer a b'),
    expected: 'allowed',
  },
  {
    name: 'a public requirement with the store down',
    target: 'open',
    authorization: none,
    storeDown: true,
    expected: 'allowed',
  },
  { name: 'a private endpoint from inside', target: 'metrics', authorization: none, inside: true, expected: 'allowed' },
  {
    name: 'a private endpoint from inside with a revoked token',
    target: 'metrics',
    authorization: bearer('revoked'),
    inside: true,
    expected: 'allowed',
  },

  // No token.
  { name: 'no credential', target: 'summarizer', authorization: none, expected: 'token_missing' },
  { name: 'an empty header', target: 'summarizer', authorization: raw(''), expected: 'token_missing' },
  { name: 'another scheme', target: 'summarizer', authorization: raw('Basic dXNlcjpwYXNz'), expected: 'token_missing' },
  {
    name: 'a token without a scheme',
    target: 'summarizer',
    authorization: ({ user }) => user,
    expected: 'token_missing',
  },
  {
    name: 'a scheme that begins with Bearer',
    target: 'summarizer',
    authorization: ({ user }) => `BearerX ${user}`,
    expected: 'token_missing',
  },
  {
    name: 'no credential from inside',
    target: 'summarizer',
    authorization: none,
    inside: true,
    expected: 'token_missing',
  },
  {
    name: 'no credential for a scope',
    target: 'write-models',
    authorization: none,
    expected: 'token_missing',
    scopes: 'models:write',
  },
  { name: 'no credential for any valid token', target: 'anyone', authorization: none, expected: 'token_missing' },

  // Malformed credentials.
  { name: 'the scheme alone', target: 'summarizer', authorization: raw('Bearer'), expected: 'token_malformed' },
  {
    name: 'two tokens in one header',
    target: 'summarizer',
    authorization: ({ user }) => `Bearer ${user} ${user}`,
    expected: 'token_malformed',
  },
  {
    name: 'a comma list',
    target: 'summarizer',
    authorization: ({ user }) => `Bearer ${user}, Bearer ${user}`,
    expected: 'token_malformed',
  },
  {
    name: 'a comma list without spaces',
    target: 'summarizer',
    authorization: ({ user }) => `Bearer ${user},${user}`,
    expected: 'token_malformed',
  },
  {
    name: 'a list that begins with another scheme',
    target: 'summarizer',
    authorization: ({ user }) => `Basic eDp5, Bearer ${user}`,
    expected: 'token_malformed',
  },
  {
    name: 'two headers',
    target: 'summarizer',
    authorization: ({ user }) => [`Bearer ${user}`, `Bearer ${user}`],
    expected: 'token_malformed',
    notOver: ['grpc'],
  },
  {
    name: 'two headers, the second of another scheme',
    target: 'summarizer',
    authorization: ({ user }) => [`Bearer ${user}`, 'Basic eDp5'],
    expected: 'token_malformed',
    notOver: ['grpc'],
  },
  {
    name: 'over 8 KiB',
    target: 'summarizer',
    authorization: raw(`Bearer ${'a'.repeat(8193)}`),
    expected: 'token_malformed',
    notOver: ['grpc'],
  },

  // Well-formed and unknown credentials.
  {
    name: 'a text of 8 KiB',
    target: 'summarizer',
    authorization: raw(`Bearer ${'a'.repeat(8192)}`),
    expected: 'token_unknown',
    notOver: ['grpc'],
  },
  {
    name: 'a text of another form',
    target: 'summarizer',
    authorization: raw('Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.'),
    expected: 'token_unknown',
  },
  { name: 'a wrong checksum', target: 'summarizer', authorization: bearer('wrongChecksum'), expected: 'token_unknown' },
  {
    name: 'a wrong checksum with the store down',
    target: 'anyone',
    authorization: bearer('wrongChecksum'),
    storeDown: true,
    expected: 'token_unknown',
  },
  {
    name: 'a token of another instance',
    target: 'summarizer',
    authorization: bearer('neverSeen'),
    expected: 'token_unknown',
  },
  { name: 'a deleted token', target: 'summarizer', authorization: bearer('deleted'), expected: 'token_unknown' },
  {
    name: 'quotes in the token',
    target: 'summarizer',
    authorization: raw(`Bearer pst_'OR'1'='1`),
    expected: 'token_unknown',
  },

  // Ended tokens.
  { name: 'a revoked token', target: 'summarizer', authorization: bearer('revoked'), expected: 'token_revoked' },
  {
    name: 'the old secret after a rotation',
    target: 'summarizer',
    authorization: bearer('rotated'),
    expected: 'token_revoked',
  },
  { name: 'a token at its expiry', target: 'summarizer', authorization: bearer('expired'), expected: 'token_expired' },
  {
    name: 'an expired token for a scope',
    target: 'write-models',
    authorization: bearer('expired'),
    expected: 'token_expired',
    scopes: 'models:write',
  },

  // Tokens without the needed grant.
  {
    name: 'the wrong scope',
    target: 'two-scopes',
    authorization: bearer('developer'),
    expected: 'scope_missing',
    scopes: 'models:read iam:read',
  },
  {
    name: 'a user token for a scope',
    target: 'write-models',
    authorization: bearer('user'),
    expected: 'scope_missing',
    scopes: 'models:write',
  },
  {
    name: 'a scope of another organization',
    target: 'models-of-mine',
    authorization: bearer('otherOrganizationDeveloper'),
    expected: 'scope_missing',
    scopes: 'models:read',
  },
  {
    name: 'the wrong endpoint',
    target: 'summarizer',
    authorization: bearer('otherEndpoint'),
    expected: 'endpoint_not_granted',
  },
  {
    name: 'a developer token on an endpoint',
    target: 'summarizer',
    authorization: bearer('developer'),
    expected: 'endpoint_not_granted',
  },
  {
    name: 'a token of another organization',
    target: 'summarizer',
    authorization: bearer('otherOrganization'),
    expected: 'endpoint_not_granted',
  },
  {
    name: 'the same name in another organization',
    target: 'other-summarizer',
    authorization: bearer('user'),
    expected: 'endpoint_not_granted',
  },

  // Hidden endpoints.
  { name: 'an unknown endpoint', target: 'nowhere', authorization: bearer('all'), expected: 'endpoint_unknown' },
  {
    name: 'an unknown endpoint without a credential',
    target: 'nowhere',
    authorization: none,
    expected: 'endpoint_unknown',
  },
  {
    name: 'an unknown endpoint with a malformed credential',
    target: 'nowhere',
    authorization: raw('Bearer a b'),
    expected: 'endpoint_unknown',
  },
  { name: 'an invalid endpoint id', target: 'not-an-id', authorization: bearer('all'), expected: 'endpoint_unknown' },
  {
    name: 'a private endpoint from outside',
    target: 'metrics',
    authorization: bearer('all'),
    expected: 'endpoint_private',
  },
  {
    name: 'a private endpoint from outside without a credential',
    target: 'metrics',
    authorization: none,
    expected: 'endpoint_private',
  },

  // Wrong or missing requirements.
  { name: 'no requirement', target: 'undeclared', authorization: bearer('all'), expected: 'requirement_missing' },
  {
    name: 'no requirement and no credential',
    target: 'undeclared',
    authorization: none,
    expected: 'requirement_missing',
  },
  { name: 'a requirement that throws', target: 'throws', authorization: bearer('all'), expected: 'internal_error' },
  { name: 'a requirement that rejects', target: 'rejects', authorization: bearer('all'), expected: 'internal_error' },
  {
    name: 'a requirement of an unknown scope',
    target: 'unknown-scope',
    authorization: bearer('all'),
    expected: 'internal_error',
  },

  // Outages.
  {
    name: 'the store down',
    target: 'summarizer',
    authorization: bearer('user'),
    storeDown: true,
    expected: 'unavailable',
  },
  {
    name: 'the store down, for a scope',
    target: 'write-models',
    authorization: bearer('developer'),
    storeDown: true,
    expected: 'unavailable',
  },
  {
    name: 'the store down, a public endpoint',
    target: 'status',
    authorization: none,
    storeDown: true,
    expected: 'unavailable',
  },
];
