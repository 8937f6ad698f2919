import type { StoredEndpoint } from '../../ports/records.js';
import type { EndpointQuery } from '../../ports/store.js';
import type { Connection } from './connection.js';
import { changing, guarded } from './script.js';

const FIND = guarded(`return {'found', redis.call('HGET', ENDPOINTS, ARGV[2])}`);

const FIND_SOME = guarded(`return {'found', redis.call('HMGET', ENDPOINTS, unpack(ARGV, 2))}`);

const PAGE = guarded(`
local fields = redis.call('ZRANGEBYLEX', NAMES, ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
if #fields == 0 then return {'page', fields, fields} end
return {'page', fields, redis.call('HMGET', ENDPOINTS, unpack(fields))}
`);

export const INSERT = changing(
  ['field', 'version', 'uid', 'record'],
  `
if redis.call('HEXISTS', ENDPOINTS, field) == 1 then return false end
begin(at)
redis.call('HSET', ENDPOINTS, field, version .. '\\n' .. uid .. '\\n' .. record)
redis.call('ZADD', NAMES, 0, field)
return true`,
);

/** The uid is compared too: the name may belong to another endpoint by now, at the same version. */
export const REPLACE = changing(
  ['field', 'expected', 'version', 'uid', 'record'],
  `
local found = redis.call('HGET', ENDPOINTS, field)
local current, currentUid = string.match(found or '', '^([^\\n]*)\\n([^\\n]*)\\n')
if current ~= expected or currentUid ~= uid then return false end
begin(at)
redis.call('HSET', ENDPOINTS, field, version .. '\\n' .. uid .. '\\n' .. record)
return true`,
);

export const DELETE = changing(
  ['field'],
  `
if redis.call('HEXISTS', ENDPOINTS, field) == 0 then return false end
begin(at)
redis.call('HDEL', ENDPOINTS, field)
redis.call('ZREM', NAMES, field)
return true`,
);

const MOST = 500;

export async function findEndpoint(
  connection: Connection,
  organization: string,
  id: string,
): Promise<StoredEndpoint | null> {
  const [, found] = await connection.run(FIND, fieldOf(organization, id));
  return found === null ? null : readEndpoint(organization, id, found as string);
}

export async function findEndpoints(
  connection: Connection,
  organization: string,
  ids: readonly string[],
): Promise<readonly StoredEndpoint[]> {
  if (ids.length === 0) return [];
  const wanted = [...new Set(ids)];
  const [, found] = await connection.run(FIND_SOME, ...wanted.map((id) => fieldOf(organization, id)));
  return wanted.flatMap((id, index) => {
    const stored = (found as (string | null)[])[index];
    return stored == null ? [] : [readEndpoint(organization, id, stored)];
  });
}

export async function listEndpoints(
  connection: Connection,
  { organization, after, limit }: EndpointQuery,
): Promise<readonly StoredEndpoint[]> {
  const start = fieldOf(organization, '');
  const endpoints: StoredEndpoint[] = [];
  let lower = after === undefined ? `[${start}` : `(${start}${after}`;
  // `;` is the character after `:`, which ends a field's organization. Ids are ASCII, so the order by bytes is theirs.
  const upper = `(${start.slice(0, -1)};`;
  while (endpoints.length < limit) {
    const size = Math.min(MOST, limit - endpoints.length);
    const [, fields, found] = await connection.run(PAGE, lower, upper, String(size));
    for (const [index, field] of (fields as string[]).entries()) {
      const stored = (found as (string | null)[])[index];
      if (stored != null) endpoints.push(readEndpoint(organization, field.slice(start.length), stored));
    }
    if ((fields as string[]).length < size) break;
    lower = `(${(fields as string[]).at(-1)}`;
  }
  return endpoints;
}

export function insertArgs(endpoint: StoredEndpoint): readonly string[] {
  const { organization, id, version, uid } = endpoint;
  return [fieldOf(organization, id), String(version), JSON.stringify(uid), writeEndpoint(endpoint)];
}

export function replaceArgs(endpoint: StoredEndpoint, expectedVersion: number): readonly string[] {
  const [field, ...rest] = insertArgs(endpoint) as [string, ...string[]];
  return [field, String(expectedVersion), ...rest];
}

/** JSON's quotes end the organization, so that two pairs never share a field. */
export function fieldOf(organization: string, id: string): string {
  return `${JSON.stringify(organization)}:${id}`;
}

function writeEndpoint({ uid, organization, id, access, createdAt, updatedAt, version }: StoredEndpoint): string {
  return JSON.stringify({ uid, organization, id, access, createdAt, updatedAt, version });
}

/** A damaged record becomes an endpoint without access, which its reader refuses. */
function readEndpoint(organization: string, id: string, stored: string): StoredEndpoint {
  try {
    const record: unknown = JSON.parse(stored.split('\n', 3)[2] as string);
    if (typeof record === 'object' && record !== null) return record as StoredEndpoint;
  } catch {
    // Handled below.
  }
  return { organization, id } as StoredEndpoint;
}
