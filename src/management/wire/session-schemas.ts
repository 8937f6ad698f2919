import * as z from 'zod';
import { ACCESS } from '../../domain/endpoint.js';
import { duration, organizationAnswer, types, userAnswer } from './schemas.js';

/* The wire of the console and of logins from a terminal. */

const time = z.string().meta({ format: 'date-time' });
const name = z.string('give a text of 1 to 200 characters').meta({ minLength: 1, maxLength: 200 });

export const signIn = z.strictObject({ token: z.string('give a developer token') });

const words = z.object({ label: z.string().nullable(), description: z.string().nullable() });

const tokenType = z.union([
  words.extend({
    name: z.string(),
    form: z.literal('endpoint_access'),
    noun: z.string().nullable().meta({ description: 'The plural for its endpoints. null: endpoints' }),
  }),
  words.extend({
    name: z.string(),
    form: z.literal('scope_access'),
    words: z.record(z.string(), words).meta({ description: 'Resource or scope → its words' }),
    resources: z
      .record(z.string(), z.record(z.string(), z.array(z.string())))
      .meta({ description: 'Resource → action → the actions that it includes' }),
  }),
]);

export const sessionAnswer = z.object({
  user: userAnswer,
  organization: organizationAnswer,
  owner: z.string().nullable(),
  token_id: z
    .string()
    .nullable()
    .meta({ description: 'The token of the credential; null: a person of the application' }),
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
  limits: z.boolean().meta({ description: 'Whether this server counts calls, so that tokens may have limits' }),
  version: z.string().meta({ description: 'The version of postern that the server runs' }),
  sign_out: z.boolean().meta({ description: "Whether the session is the console's own, and ends here" }),
});

/** RFC 7636 section 4.2: base64url of a SHA-256. */
export const loginQuery = z.strictObject({
  code_challenge: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/, 'give the base64url of a SHA-256: 43 characters')
    .optional(),
  code_challenge_method: z.literal('S256', 'use S256').optional(),
  types: z
    .string()
    .max(2_000, 'give at most 2000 characters')
    .meta({ description: 'The requested types, as JSON of Types. Left out: the approver chooses' })
    .optional(),
});
export const loginAnswer = z.object({
  code: z.string(),
  user_code: z
    .string()
    .optional()
    .meta({ description: 'For a login with a challenge: the terminal shows it, and the person types it on the page' }),
});

const userCode = z
  .string('give the code that the terminal shows')
  .max(100, 'give the code that the terminal shows')
  .nullish()
  .meta({ description: 'Required if the login has one. Five wrong codes end the login' });
export const openLogin = z.strictObject({ user_code: userCode });

export const collectQuery = z.strictObject({ code: z.string('give the code') });
export const collectAnswer = z.object({ token: z.string() });

export const loginRequestAnswer = z.object({
  from: z.string().nullable().meta({ description: 'The address of the terminal; null if it is unknown' }),
  created_at: time,
  expires_at: time,
  bound: z.boolean().meta({
    description:
      'Whether it has a user code, so that only its terminal collects the token. If not, anyone could have begun it',
  }),
  status: z.enum(['pending', 'approved', 'denied']),
  asked: types.nullable().meta({ description: 'The types that the terminal asks for; null: none in particular' }),
  types: types.nullable().meta({ description: 'The approved types' }),
  token_expires_at: time.nullable().meta({ description: 'The latest end of the token; null: the approver chooses' }),
  token_expires_in: z.string().meta({ description: 'The life of the token unless another is chosen' }),
});

export const approval = z.strictObject({
  user_code: userCode,
  types: types
    .nullish()
    .meta({ description: 'Default, if scopes are left out too: the types that the terminal asks for' }),
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
