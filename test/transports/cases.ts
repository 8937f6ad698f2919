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

type Row = readonly [
  name: string,
  target: Target,
  authorization: TokenOf,
  more?: Omit<Partial<Case>, 'name' | 'target' | 'authorization' | 'expected'>,
];

const expecting = (expected: Case['expected'], rows: readonly Row[]): Case[] =>
  rows.map(([name, target, authorization, more]) => ({ name, target, authorization, expected, ...more }));

/** The table of cases for every guard. */
export const CASES: readonly Case[] = [
  ...expecting('allowed', [
    ['a user token on its endpoint', 'summarizer', bearer('user')],
    ['a user token for all endpoints', 'summarizer', bearer('all')],
    ['a scope held', 'write-models', bearer('developer')],
    ['a scope included', 'read-models', bearer('developer')],
    ['a scope in the own organization', 'models-of-mine', bearer('developer')],
    ['two scopes held', 'two-scopes', bearer('all')],
    ['any valid token', 'anyone', bearer('user')],
    ['the scheme in lower case', 'summarizer', ({ user }) => `bearer ${user}`],
    ['the scheme in upper case', 'summarizer', ({ user }) => `BEARER ${user}`],
    ['several spaces after the scheme', 'summarizer', ({ user }) => `Bearer   ${user}`],
    ['a public endpoint without a credential', 'status', none],
    ['a public endpoint with a revoked token', 'status', bearer('revoked')],
    ['a public endpoint with a malformed credential', 'status', raw('Bearer a b')],
    ['a public requirement with the store down', 'open', none, { storeDown: true }],
    ['a private endpoint from inside', 'metrics', none, { inside: true }],
    ['a private endpoint from inside with a revoked token', 'metrics', bearer('revoked'), { inside: true }],
  ]),
  ...expecting('token_missing', [
    ['no credential', 'summarizer', none],
    ['an empty header', 'summarizer', raw('')],
    ['another scheme', 'summarizer', raw('Basic dXNlcjpwYXNz')],
    ['a token without a scheme', 'summarizer', ({ user }) => user],
    ['a scheme that begins with Bearer', 'summarizer', ({ user }) => `BearerX ${user}`],
    ['no credential from inside', 'summarizer', none, { inside: true }],
    ['no credential for a scope', 'write-models', none, { scopes: 'models:write' }],
    ['no credential for any valid token', 'anyone', none],
  ]),
  ...expecting('token_malformed', [
    ['the scheme alone', 'summarizer', raw('Bearer')],
    ['two tokens in one header', 'summarizer', ({ user }) => `Bearer ${user} ${user}`],
    ['a comma list', 'summarizer', ({ user }) => `Bearer ${user}, Bearer ${user}`],
    ['a comma list without spaces', 'summarizer', ({ user }) => `Bearer ${user},${user}`],
    ['a list that begins with another scheme', 'summarizer', ({ user }) => `Basic eDp5, Bearer ${user}`],
    ['two headers', 'summarizer', ({ user }) => [`Bearer ${user}`, `Bearer ${user}`], { notOver: ['grpc'] }],
    [
      'two headers, the second of another scheme',
      'summarizer',
      ({ user }) => [`Bearer ${user}`, 'Basic eDp5'],
      { notOver: ['grpc'] },
    ],
    ['over 8 KiB', 'summarizer', raw(`Bearer ${'a'.repeat(8193)}`), { notOver: ['grpc'] }],
  ]),
  ...expecting('token_unknown', [
    ['a text of 8 KiB', 'summarizer', raw(`Bearer ${'a'.repeat(8192)}`), { notOver: ['grpc'] }],
    ['a text of another form', 'summarizer', raw('Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.')],
    ['a wrong checksum', 'summarizer', bearer('wrongChecksum')],
    ['a wrong checksum with the store down', 'anyone', bearer('wrongChecksum'), { storeDown: true }],
    ['a token of another instance', 'summarizer', bearer('neverSeen')],
    ['a deleted token', 'summarizer', bearer('deleted')],
    ['quotes in the token', 'summarizer', raw(`Bearer pst_'OR'1'='1`)],
  ]),
  ...expecting('token_revoked', [
    ['a revoked token', 'summarizer', bearer('revoked')],
    ['the old secret after a rotation', 'summarizer', bearer('rotated')],
  ]),
  ...expecting('token_expired', [
    ['a token at its expiry', 'summarizer', bearer('expired')],
    ['an expired token for a scope', 'write-models', bearer('expired'), { scopes: 'models:write' }],
  ]),
  ...expecting('scope_missing', [
    ['the wrong scope', 'two-scopes', bearer('developer'), { scopes: 'models:read iam:read' }],
    ['a user token for a scope', 'write-models', bearer('user'), { scopes: 'models:write' }],
    [
      'a scope of another organization',
      'models-of-mine',
      bearer('otherOrganizationDeveloper'),
      { scopes: 'models:read' },
    ],
  ]),
  ...expecting('endpoint_not_granted', [
    ['the wrong endpoint', 'summarizer', bearer('otherEndpoint')],
    ['a developer token on an endpoint', 'summarizer', bearer('developer')],
    ['a token of another organization', 'summarizer', bearer('otherOrganization')],
    ['the same name in another organization', 'other-summarizer', bearer('user')],
  ]),
  ...expecting('endpoint_unknown', [
    ['an unknown endpoint', 'nowhere', bearer('all')],
    ['an unknown endpoint without a credential', 'nowhere', none],
    ['an unknown endpoint with a malformed credential', 'nowhere', raw('Bearer a b')],
    ['an invalid endpoint id', 'not-an-id', bearer('all')],
  ]),
  ...expecting('endpoint_private', [
    ['a private endpoint from outside', 'metrics', bearer('all')],
    ['a private endpoint from outside without a credential', 'metrics', none],
  ]),
  ...expecting('requirement_missing', [
    ['no requirement', 'undeclared', bearer('all')],
    ['no requirement and no credential', 'undeclared', none],
  ]),
  ...expecting('internal_error', [
    ['a requirement that throws', 'throws', bearer('all')],
    ['a requirement that rejects', 'rejects', bearer('all')],
    ['a requirement of an unknown scope', 'unknown-scope', bearer('all')],
  ]),
  ...expecting('unavailable', [
    ['the store down', 'summarizer', bearer('user'), { storeDown: true }],
    ['the store down, for a scope', 'write-models', bearer('developer'), { storeDown: true }],
    ['the store down, a public endpoint', 'status', none, { storeDown: true }],
  ]),
];
