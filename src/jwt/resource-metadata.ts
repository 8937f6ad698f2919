import * as z from 'zod';
import { check } from '../base/check.js';
import { PosternError } from '../domain/errors.js';
import { isTrusted, parseUrl } from './fetch-json.js';

/** The metadata of a protected resource (RFC 9728 section 2). */
export interface ResourceMetadataOptions {
  /** The exact identifier of this resource: an https address, the audience of its tokens. */
  readonly resource: string;
  /** The issuers whose tokens it accepts. */
  readonly authorizationServers: readonly string[];
  /** The scopes that a client may request from them. */
  readonly scopes?: readonly string[] | undefined;
  /** Its name for people. */
  readonly name?: string | undefined;
  /** The address of its documentation for developers. */
  readonly documentation?: string | undefined;
  /** The algorithms of DPoP proofs that it accepts (RFC 9449). Default: not published. */
  readonly dpopAlgorithms?: readonly string[] | undefined;
  /** Whether every token must be bound to a key (RFC 9449). Default: not published. */
  readonly dpopRequired?: boolean | undefined;
}

/** RFC 9728 section 3. */
const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** Of copies in caches, in seconds. */
const MAX_AGE = 3_600;

const address = (message: string) =>
  z.string(message).refine((value) => {
    const url = parseUrl(value);
    return url !== null && isTrusted(url);
  }, message);
const texts = (message: string) => z.array(z.string(message).min(1, message), message);

const schema = z.strictObject({
  resource: address('give an https address without a fragment, such as https://api.acme.dev'),
  authorizationServers: z
    .array(address("give the issuers' https addresses"), "give a list of the issuers' https addresses")
    .min(1, 'name at least one issuer'),
  scopes: texts('give a list of scopes').optional(),
  name: z.string('give a text').min(1, 'give a text').optional(),
  documentation: address('give an https address').optional(),
  dpopAlgorithms: texts('give a list of algorithms').min(1, 'name at least one algorithm').optional(),
  dpopRequired: z.boolean('give true or false').optional(),
});

/**
 * Makes a handler that answers with the metadata of a protected resource (RFC 9728), which names its token issuers. Route it at
 * the path of {@link metadataUrl}. It is open to everyone, from any origin.
 *
 * @example
 * const metadata = resourceMetadata({ resource: 'https://api.acme.dev/mcp', authorizationServers: ['https://login.acme.dev'] });
 * app.get('/.well-known/oauth-protected-resource/mcp', (context) => metadata(context.req.raw));   // Hono
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function resourceMetadata(options: ResourceMetadataOptions): (request: Request) => Response {
  const given = check(schema, options, 'resourceMetadata', 'option_invalid');
  // JSON drops undefined members: RFC 9728 section 3.2 forbids empty values.
  const body = JSON.stringify({
    resource: given.resource,
    authorization_servers: given.authorizationServers,
    scopes_supported: given.scopes,
    // Only the header: tokens in bodies or addresses end up in logs (RFC 6750 sections 2.2 and 2.3).
    bearer_methods_supported: ['header'],
    resource_name: given.name,
    resource_documentation: given.documentation,
    dpop_signing_alg_values_supported: given.dpopAlgorithms,
    dpop_bound_access_tokens_required: given.dpopRequired,
  });
  return ({ method }) => {
    if (method === 'GET' || method === 'HEAD') {
      const headers = { ...OPEN, 'Content-Type': 'application/json', 'Cache-Control': `public, max-age=${MAX_AGE}` };
      return new Response(method === 'HEAD' ? null : body, { headers });
    }
    if (method === 'OPTIONS') return new Response(null, { status: 204, headers: PREFLIGHT });
    return new Response(null, { status: 405, headers: { ...OPEN, Allow: METHODS } });
  };
}

const METHODS = 'GET, HEAD, OPTIONS';
const OPEN = { 'Access-Control-Allow-Origin': '*' };
/** Clients in browsers send headers of their own (the MCP SDK: `MCP-Protocol-Version`). */
const PREFLIGHT = {
  ...OPEN,
  'Access-Control-Allow-Methods': METHODS,
  'Access-Control-Allow-Headers': '*',
  'Access-Control-Max-Age': String(MAX_AGE),
};

/**
 * The address of a resource's metadata (RFC 9728 section 3.1): the well-known path, inserted between the host and the resource's
 * own path and query. For the guards' option `resourceMetadata`.
 *
 * @example
 * metadataUrl('https://api.acme.dev/mcp')   // 'https://api.acme.dev/.well-known/oauth-protected-resource/mcp'
 * @throws PosternError `option_invalid`
 */
export function metadataUrl(resource: string): string {
  const url = parseUrl(resource);
  if (url === null || !isTrusted(url)) {
    throw new PosternError('option_invalid', 'give an https address without a fragment', {
      path: 'resource',
    });
  }
  const path = url.pathname === '/' ? '' : url.pathname;
  return `${url.origin}${WELL_KNOWN}${path}${url.search}`;
}
