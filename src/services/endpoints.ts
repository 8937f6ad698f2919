import { type Access, type Endpoint, isEndpointId } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import { quote } from '../domain/text.js';
import type { Authority } from './authority.js';
import { check } from './check.js';
import type { Core } from './core.js';
import { newId } from './ids.js';
import { createEndpointInput, listEndpointsInput, organizationInput, updateEndpointInput } from './inputs.js';
import type { ChangeType, StoredEndpoint } from './ports.js';
import type { Page } from './tokens-api.js';

/** Whose endpoint. Left out: the instance's own organization. */
export interface InOrganization {
  readonly organization?: string | undefined;
}

export interface CreateEndpoint extends InOrganization {
  /** `^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$` */
  readonly id: string;
  readonly access: Access;
}

export interface ListEndpoints extends InOrganization {
  /** 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
  readonly cursor?: string | null | undefined;
}

export interface Endpoints {
  /** @throws PosternError `endpoint_exists`, `input_invalid`, `option_unknown`, `unavailable` */
  create(input: CreateEndpoint, options?: InOrganization): Promise<Endpoint>;
  get(id: string, options?: InOrganization): Promise<Endpoint | null>;
  /** By id, in code unit order. @throws PosternError `input_invalid`, `option_unknown`, `unavailable` */
  list(query?: ListEndpoints): Promise<Page<Endpoint>>;
  /** @throws PosternError `endpoint_unknown`, `conflict`, `input_invalid`, `option_unknown`, `unavailable` */
  update(id: string, changes: { readonly access?: Access }, options?: InOrganization): Promise<Endpoint>;
  /** Idempotent. An endpoint made later under the same id is another one: no grant of this one reaches it. */
  delete(id: string, options?: InOrganization): Promise<void>;
}

const ATTEMPTS = 5;

export function createEndpoints(core: Core, authority: Authority): Endpoints {
  const { store } = core;

  function organizationOf(options: InOrganization | undefined, what: string): string {
    return authority.organization(check(organizationInput, options ?? {}, what, 'input_invalid').organization);
  }

  function announce(type: ChangeType, endpoint: StoredEndpoint, at: number): void {
    core.directory.clear();
    core.events.emit({ ...change(type, endpoint, at), at: new Date(at), endpoint: shown(endpoint) });
  }

  const change = (type: ChangeType, endpoint: StoredEndpoint, at: number) =>
    ({ type, at, actor: authority.actor, organization: endpoint.organization, subject: endpoint.id }) as const;

  return {
    async create(input, options) {
      const given = check(createEndpointInput, input, 'endpoints.create', 'input_invalid');
      const organization = organizationOf({ organization: given.organization, ...options }, 'endpoints.create');
      const now = core.time.read();
      const endpoint: StoredEndpoint = {
        uid: newId(core.settings.random),
        organization,
        id: given.id,
        access: given.access,
        createdAt: now,
        updatedAt: now,
        version: 1,
      };
      if (!(await store.insertEndpoint(endpoint, change('endpoint.created', endpoint, now)))) {
        throw new PosternError(
          'endpoint_exists',
          `endpoint ${quote(given.id)} is registered already: update it, or choose another id`,
          { path: 'id' },
        );
      }
      announce('endpoint.created', endpoint, now);
      return shown(endpoint);
    },

    async get(id, options) {
      const organization = organizationOf(options, 'endpoints.get');
      const endpoint = isEndpointId(id) ? await store.findEndpoint(organization, id) : null;
      return endpoint && shown(endpoint);
    },

    async list(query = {}) {
      const given = check(listEndpointsInput, query, 'endpoints.list', 'input_invalid');
      const endpoints = await store.listEndpoints({
        organization: authority.organization(given.organization),
        limit: given.limit + 1,
        ...(given.cursor != null && { after: given.cursor }),
      });
      const page = endpoints.slice(0, given.limit);
      return {
        items: page.map(shown),
        nextCursor: endpoints.length > given.limit ? (page.at(-1)?.id ?? null) : null,
      };
    },

    async update(id, changes, options) {
      const organization = organizationOf(options, 'endpoints.update');
      const given = check(updateEndpointInput, changes, 'endpoints.update', 'input_invalid');
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const endpoint = isEndpointId(id) ? await store.findEndpoint(organization, id) : null;
        if (endpoint === null) {
          throw new PosternError('endpoint_unknown', `endpoint ${quote(id)} is not registered: create it first`, {
            path: 'id',
          });
        }
        if (given.access === undefined || given.access === endpoint.access) return shown(endpoint);
        const now = core.time.read();
        const next = { ...endpoint, access: given.access, updatedAt: now, version: endpoint.version + 1 };
        if (await store.replaceEndpoint(next, endpoint.version, change('endpoint.updated', next, now))) {
          announce('endpoint.updated', next, now);
          return shown(next);
        }
      }
      throw new PosternError(
        'conflict',
        'the endpoint was changed by someone else at the same time: read it, and try again',
      );
    },

    async delete(id, options) {
      const organization = organizationOf(options, 'endpoints.delete');
      const endpoint = isEndpointId(id) ? await store.findEndpoint(organization, id) : null;
      if (endpoint === null) return;
      const now = core.time.read();
      const removed = await store.deleteEndpoint(organization, id, change('endpoint.deleted', endpoint, now));
      if (removed) announce('endpoint.deleted', endpoint, now);
    },
  };
}

function shown(endpoint: StoredEndpoint): Endpoint {
  const { id, organization, access, createdAt, updatedAt } = endpoint;
  return { id, organization, access, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) };
}
