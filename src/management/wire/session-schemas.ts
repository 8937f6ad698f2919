import { z } from 'zod';
import { ACCESS } from '../../domain/endpoint.js';
import { duration, organizationAnswer, types, userAnswer } from './schemas.js';

/* What the console and a terminal that logs in say and hear. */

const time = z.string().meta({ format: 'date-time' });
const name = z.string('give a text of 1 to 200 characters').meta({ minLength: 1, maxLength: 200 });

export const signIn = z.strictObject({ token: z.string('give a developer token') });

const tokenType = z.union([
  z.object({ name: z.string(), form: z.literal('endpoint_access') }),
  z.object({
    name: z.string(),
    form: z.literal('scope_access'),
    resources: z
      .record(z.string(), z.record(z.string(), z.array(z.string())))
      .meta({ description: 'Resource → action → the actions that it includes' }),
  }),
]);

export const sessionAnswer = z.object({
  user: userAnswer,
  organization: organizationAnswer,
  owner: z.string().nullable(),
  grants: z.object({
    scopes: z.array(z.string()),
    endpoints: z.union([z.literal('*'), z.array(z.string())]),
  }),
  types: z.array(tokenType),
  can: z.object({
    listTokens: z.boolean(),
    manageTokens: z.boolean(),
    manageOwn: z.boolean().meta({ description: "The caller's own personal tokens" }),
    readEndpoints: z.boolean(),
    manageEndpoints: z.boolean(),
    readAudit: z.boolean(),
  }),
  sign_out: z.boolean().meta({ description: "Whether the session is the console's own, and ends here" }),
});

/** RFC 7636 section 4.2: base64url of a SHA-256. */
export const loginQuery = z.strictObject({
  code_challenge: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/, 'give the base64url of a SHA-256: 43 characters')
    .optional(),
  code_challenge_method: z.literal('S256', 'use S256').optional(),
});
export const loginAnswer = z.object({ code: z.string() });

export const collectQuery = z.strictObject({ code: z.string('give the code') });
export const collectAnswer = z.object({ token: z.string() });

export const loginRequestAnswer = z.object({
  from: z.string().nullable().meta({ description: 'The address that asks; null where it is not known' }),
  created_at: time,
  expires_at: time,
  bound: z.boolean().meta({ description: 'Whether only who began it can collect the token' }),
  status: z.enum(['pending', 'approved', 'denied']),
  types: types.meta({ description: 'What it gets unless less is chosen' }),
  token_expires_at: time.nullable().meta({ description: 'The longest life of the token; null: as is chosen' }),
  token_expires_in: z.string().meta({ description: 'The life of the token unless another is chosen' }),
});

export const approval = z.strictObject({
  types: types.nullish(),
  scopes: z.array(z.string('give names of scopes'), 'give a list of scopes').nullish(),
  name: name.nullish(),
  expires_in: duration.nullish(),
});

const requirement = z.union(
  [
    z.strictObject({ endpoint: z.string() }),
    z.strictObject({ scope: z.union([z.string(), z.array(z.string())]) }),
    z.strictObject({ authenticated: z.literal(true) }),
  ],
  'give { endpoint }, { scope } or { authenticated: true }',
);

export const question = z.strictObject({
  token: z.string('give a token').nullish(),
  zone: z.enum(['internal', 'external'], "use 'internal' or 'external'").default('external'),
  requirement,
});

export const explanationAnswer = z.object({
  allowed: z.boolean(),
  reason: z.string().nullable(),
  steps: z.array(z.object({ check: z.string(), passed: z.boolean(), detail: z.string() })),
  remedy: z.object({ types: z.unknown(), message: z.string() }).nullable(),
});

export const accessQuery = z.strictObject({ access: z.enum(ACCESS, `use ${ACCESS.join(', ')}`) });
