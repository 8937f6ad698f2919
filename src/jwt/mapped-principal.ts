import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { check } from '../base/check.js';
import { bytesToLatin1 } from '../base/digest.js';
import { externalId } from '../base/vouched.js';
import type { Vouched } from '../ports/authenticator.js';
import { utf8 } from './utf8.js';

/** Who the subject of a verified token is to this application, and what it may do. */
export type TrustedPrincipal = Pick<Vouched, 'types' | 'owner' | 'organization' | 'ownership' | 'mayIssue'>;

/** Only the names are checked here: the instance checks the values of whatever an authenticator answers. */
const schema = z.strictObject({
  types: z.unknown().optional(),
  owner: z.unknown().optional(),
  organization: z.unknown().optional(),
  ownership: z.unknown().optional(),
  mayIssue: z.unknown().optional(),
});

/** @throws PosternError `option_unknown`, `input_invalid` */
export function readMapped(mapped: unknown): TrustedPrincipal {
  return check(
    schema,
    mapped,
    'what the principal option of trustedIssuer returned',
    'input_invalid',
  ) as TrustedPrincipal;
}

/** One subject of one issuer: the same id for all its tokens, and no text of theirs. */
export function subjectId({ iss, sub }: { readonly iss: string; readonly sub: string }): string {
  return externalId(bytesToLatin1(sha256(utf8(JSON.stringify([iss, sub])))));
}
