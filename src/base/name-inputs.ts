import * as z from 'zod';
import { isOrganizationName } from '../domain/endpoint.js';

export const NAME_LENGTH = 200;

/** Text that every store can keep: no NUL (PostgreSQL refuses it), no half of a surrogate pair (UTF-8 can't encode it). */
export const text = (least: number, most: number) =>
  z.string(`give a text of ${least} to ${most} characters`).refine((value) => {
    const length = [...value].length;
    return length >= least && length <= most && !value.includes('\0') && !/\p{Cs}/u.test(value);
  }, `give a text of ${least} to ${most} characters, without NUL and lone surrogates`);

export const owner = text(1, NAME_LENGTH);
export const organization = z.custom<string>(isOrganizationName, 'name an organization in 1 to 100 characters');
export const ownership = z.enum(['personal', 'organization'], "use 'personal' or 'organization'");
