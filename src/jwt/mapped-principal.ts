import { sha256 } from '@noble/hashes/sha2.js';
import * as z from 'zod';
import { check } from '../base/check.js';
import { bytesToLatin1 } from '../base/digest.js';
import { externalId } from '../base/vouched.js';
import type { Vouched } from '../ports/authenticator.js';
import { utf8 } from './utf8.js';

/** The subject of a verified token, as this application knows it, with its rights. */
export type TrustedPrincipal = Pick<Vouched, 'types' | 'owner' | 'organization' | 'ownership' | 'mayIssue'>;

/** Only the names are checked here. The instance checks the values. */
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
    'the result of the principal option of trustedIssuer',
    'input_invalid',
  ) as TrustedPrincipal;
}

/** An id for one subject of one issuer. All its tokens share it, and it contains none of their text. */
export function subjectId({ iss, sub }: { readonly iss: string; readonly sub: string }): string {
  return externalId(bytesToLatin1(sha256(utf8(JSON.stringify([iss, sub])))));
}
