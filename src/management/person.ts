import * as z from 'zod';
import { check } from '../base/check.js';
import { isOrganizationName } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import { compileGrants, type Grants, type StoredGrant, type StoredGrants } from '../domain/grants.js';
import { VerifiedPrincipal } from '../domain/principal.js';
import { quote } from '../domain/text.js';
import type { Catalog } from '../domain/token-types.js';
import type { PersonCaller } from './caller.js';
import type { OwnerWords } from './options.js';

const words = z.string('give a text').optional();

const schema = z.strictObject({
  owner: z.string('name the person').min(1, 'name the person').max(200, 'give at most 200 characters'),
  organization: z.custom<string>(isOrganizationName, 'name an organization in 1 to 100 characters').optional(),
  types: z.record(z.string(), z.unknown(), 'give an object of types; {} for nothing'),
  name: words,
  email: words,
  firstName: words,
  lastName: words,
});

/**
 * Checks the result of `identify`: a mistake in the application's code must not become an allow.
 *
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function readPerson(found: unknown, catalog: Catalog, defaultOrganization: string): PersonCaller {
  const { owner, organization, types, ...named } = check(schema, found, 'the result of identify', 'option_invalid');
  return personCaller(owner, organization ?? defaultOrganization, grantsOfPerson(types, catalog), named);
}

export function personCaller(owner: string, organization: string, grants: Grants, words: OwnerWords): PersonCaller {
  const principal = new VerifiedPrincipal({
    tokenId: '',
    owner,
    ownership: 'personal',
    organization,
    grants,
    endsAt: Number.POSITIVE_INFINITY,
    mayIssue: Number.POSITIVE_INFINITY,
  });
  return { kind: 'person', principal, grants, ambient: true, words };
}

/**
 * The grants of a person, from types in the form of `tokens.create`. Endpoints are matched by name, because a session is not bound to
 * the endpoint that had the name before.
 *
 * @throws PosternError `option_invalid`
 */
export function grantsOfPerson(types: Readonly<Record<string, unknown>>, catalog: Catalog): Grants {
  const stored = Object.entries(types).map(([name, grant]) => [name, readGrant(name, grant, catalog)] as const);
  return compileGrants(stored.length > 0 ? Object.fromEntries(stored) : nothing(catalog), catalog, { named: true });
}

/** Empty grants. They must name at least one type. */
function nothing(catalog: Catalog): StoredGrants {
  const [name, type] = [...catalog.types][0] as [string, { readonly form: string }];
  return { [name]: type.form === 'endpoint_access' ? { endpoints: [] } : { scopes: [] } };
}

function readGrant(name: string, grant: unknown, catalog: Catalog): StoredGrant {
  const type = catalog.types.get(name);
  if (type === undefined) throw invalid(`types.${name}`, 'is no token type here');
  const key = type.form === 'endpoint_access' ? 'endpoints' : 'scopes';
  const own = typeof grant === 'object' && grant !== null && Object.hasOwn(grant, key);
  const value = own ? (grant as Record<string, unknown>)[key] : undefined;
  if (type.form === 'endpoint_access') {
    if (value === '*') return { endpoints: '*' };
    if (isTexts(value)) return { endpoints: value.map((id) => ({ id, uid: null })) };
    throw invalid(`types.${name}.endpoints`, "is neither a list of endpoints' ids nor '*'");
  }
  if (!isTexts(value)) throw invalid(`types.${name}.scopes`, 'is no list of scopes');
  const stranger = value.find((scope) => !type.expansions.has(scope));
  if (stranger !== undefined) throw invalid(`types.${name}.scopes`, `has ${quote(stranger)}, which is no scope here`);
  return { scopes: value };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function invalid(path: string, problem: string): PosternError {
  return new PosternError('option_invalid', problem, { path, input: 'the result of identify' });
}
