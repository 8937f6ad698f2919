import { isEndpointId } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import type { EndpointGrant, StoredGrant, StoredGrants } from '../domain/grants.js';
import { unknownScope } from '../domain/requirement.js';
import { quote } from '../domain/text.js';
import type { Catalog, CatalogType } from '../domain/token-types.js';

const MAX_GRANTS = 1_000;

/** Finds the endpoint that has this id now. A `uid` of `null` makes a grant by name alone. */
export type FindEndpoint = (id: string) => Promise<{ readonly uid: string | null } | null>;

/**
 * Reads the `types` of a new token. Every type and scope must be known, and every endpoint registered. The grant of an endpoint
 * is bound to the endpoint that has the name now.
 *
 * @throws PosternError `types_missing`, `type_unknown`, `scope_unknown`, `endpoint_unknown`, `input_invalid`, `option_unknown`
 */
export async function readGrants(types: unknown, catalog: Catalog, find: FindEndpoint): Promise<StoredGrants> {
  if (types !== undefined && types !== null && (typeof types !== 'object' || Array.isArray(types))) {
    throw invalid('types', `is ${quote(types)}: give an object, such as { developer: { scopes: ['models:read'] } }`);
  }
  const names = Object.keys(types ?? {}).filter((name) => (types as Record<string, unknown>)[name] !== undefined);
  if (names.length === 0) {
    throw new PosternError('types_missing', `give at least one of ${[...catalog.types.keys()].join(', ')}`, {
      path: 'types',
    });
  }
  const grants: Record<string, StoredGrant> = {};
  // Sorted, so that equal grants have the same text.
  for (const name of names.sort()) {
    const type = catalog.types.get(name);
    if (!type) {
      throw new PosternError('type_unknown', `is not a known token type: use ${[...catalog.types.keys()].join(', ')}`, {
        path: `types.${name}`,
      });
    }
    grants[name] = await readGrant((types as Record<string, unknown>)[name], name, type, catalog, find);
  }
  return grants;
}

async function readGrant(
  grant: unknown,
  name: string,
  type: CatalogType,
  catalog: Catalog,
  find: FindEndpoint,
): Promise<StoredGrant> {
  const key = type.form === 'endpoint_access' ? 'endpoints' : 'scopes';
  const path = `types.${name}.${key}`;
  if (typeof grant !== 'object' || grant === null)
    throw invalid(`types.${name}`, `is ${quote(grant)}: give { ${key}: […] }`);
  const stranger = Object.keys(grant).find((each) => each !== key);
  if (stranger !== undefined) {
    throw new PosternError('option_unknown', `is unknown: this type takes ${key}`, {
      path: `types.${name}.${stranger}`,
    });
  }
  const value = Object.hasOwn(grant, key) ? (grant as Record<string, unknown>)[key] : undefined;
  if (type.form === 'endpoint_access' && value === '*') return { endpoints: '*' };
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_GRANTS) {
    const all = type.form === 'endpoint_access' ? ", or '*' for all" : '';
    throw invalid(path, `must be a list of 1 to ${MAX_GRANTS} names${all}`);
  }
  const unique = [...new Set<unknown>(value)];
  if (type.form === 'endpoint_access') return { endpoints: await bindEndpoints(unique, path, find) };
  for (const [index, scope] of unique.entries()) {
    if (typeof scope !== 'string' || !type.expansions.has(scope))
      throw unknownScope(scope, catalog, `${path}.${index}`);
  }
  return { scopes: unique as string[] };
}

async function bindEndpoints(ids: readonly unknown[], path: string, find: FindEndpoint): Promise<EndpointGrant[]> {
  // Asked for together, and judged in their order.
  const answers = await Promise.allSettled(ids.map((id) => (isEndpointId(id) ? find(id) : null)));
  return answers.map((answer, index) => {
    if (answer.status === 'rejected') throw answer.reason;
    const id = ids[index];
    if (!isEndpointId(id) || answer.value === null) {
      throw new PosternError(
        'endpoint_unknown',
        `${quote(id)} is not registered: create the endpoint first, or correct its name`,
        { path: `${path}.${index}` },
      );
    }
    return { id, uid: answer.value.uid };
  });
}

function invalid(path: string, problem: string): PosternError {
  return new PosternError('input_invalid', problem, { path });
}
