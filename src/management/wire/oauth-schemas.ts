import * as z from 'zod';

/* RFC 7662, RFC 7009 and RFC 8693. Unknown parameters are ignored (RFC 6749 section 3.2). */

const hint = z.string().optional();

export const introspectionForm = z.looseObject({
  token: z.string('give the token'),
  token_type_hint: hint,
  method: z.string().optional().meta({
    description: 'The method of the call. Without it, a token that is good for some methods only is not active',
  }),
});

export const introspectionAnswer = z
  .looseObject({
    active: z.boolean(),
    cnf: z
      .object({ jkt: z.string() })
      .optional()
      .meta({ description: 'The key that the token is bound to (RFC 7800)' }),
    scope: z.string().optional(),
    client_id: z.string().optional().meta({ description: 'The id of the API token that it comes from' }),
    username: z.string().optional(),
    token_type: z.enum(['Bearer', 'DPoP']).optional(),
    exp: z.int().optional(),
    sub: z.string().optional(),
    organization: z.string().optional(),
    owner: z.string().nullable().optional(),
    endpoints: z.union([z.literal('*'), z.array(z.string())]).optional(),
    dead_endpoints: z.array(z.string()).optional().meta({
      description:
        'Granted endpoints that were deleted. The token does not reach them, nor new endpoints with their names',
    }),
  })
  .meta({ description: "`active: false` alone if the token is not active or is another organization's" });

export const revocationForm = z.looseObject({ token: z.string('give the token'), token_type_hint: hint });

export const exchangeForm = z.looseObject({
  grant_type: z.string('give the grant_type'),
  subject_token: z.string('give the subject_token').optional(),
  subject_token_type: z.string().optional(),
  requested_token_type: z.string().optional(),
  scope: z.string().optional(),
  resource: z.string().optional(),
  audience: z.string().optional(),
  authorization_details: z.string().optional().meta({ description: 'RFC 9396: endpoint_access, each with identifier' }),
  actor_token: z.string().optional(),
});

export const exchangeAnswer = z.strictObject({
  access_token: z.string(),
  issued_token_type: z.literal('urn:ietf:params:oauth:token-type:access_token'),
  token_type: z.string(),
  expires_in: z.int(),
  scope: z.string(),
});

export const jwksAnswer = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) });

/** One endpoint, or several, of an `authorization_details` (RFC 9396 section 2). */
export const authorizationDetails = z.array(
  z.looseObject({ type: z.literal('endpoint_access'), identifier: z.string() }),
  'give a list of { "type": "endpoint_access", "identifier": "…" }',
);
