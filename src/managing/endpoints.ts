import { check } from '../base/check.js';
import type { Forgetting } from '../base/forgetting.js';
import type { Ground } from '../base/ground.js';
import { newId } from '../base/ids.js';
import { type Access, type Endpoint, isEndpointId } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import { quote } from '../domain/text.js';
import type { StoredEndpoint } from '../ports/records.js';
import type { Authority } from './authority.js';
import { type ChangeLog, shownEndpoint } from './changes.js';
import {
  createEndpointInput,
  listEndpointsInput,
  organizationInput,
  previewEndpointInput,
  updateEndpointInput,
} from './inputs.js';
import type { AccessPreview } from './preview.js';
import type { Page } from './tokens-api.js';
import type { Alone, Committed, InTransaction } from './within.js';

/** The organization of an endpoint. Default: the instance's own. */
export interface InOrganization {
  readonly organization?: string | undefined;
}

/** A new endpoint. */
export interface CreateEndpoint extends InOrganization {
  /** `^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$` */
  readonly id: string;
  readonly access: Access;
}

/** A page of an organization's endpoints. */
export interface ListEndpoints extends InOrganization {
  /** 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
  readonly cursor?: string | null | undefined;
}

/** `postern.endpoints`: registers endpoints, and sets their access. */
export interface Endpoints {
  /** @throws PosternError `endpoint_exists`, `input_invalid`, `option_unknown`, `unavailable` */
  create(input: CreateEndpoint, options: InOrganization & InTransaction): Promise<Endpoint & Committed>;
  create(input: CreateEndpoint, options?: InOrganization): Promise<Endpoint>;
  get(id: string, options?: InOrganization): Promise<Endpoint | null>;
  /** By id, in code unit order. @throws PosternError `input_invalid`, `option_unknown`, `unavailable` */
  list(query?: ListEndpoints): Promise<Page<Endpoint>>;
  /** @throws PosternError `endpoint_unknown`, `conflict`, `input_invalid`, `option_unknown`, `unavailable` */
  update(
    id: string,
    changes: { readonly access?: Access },
    options: InOrganization & InTransaction,
  ): Promise<Endpoint & Committed>;
  update(id: string, changes: { readonly access?: Access }, options?: InOrganization): Promise<Endpoint>;
  /** Idempotent. A later endpoint with the same id is another one: grants of the deleted one don't reach it. */
  delete(id: string, options: InOrganization & InTransaction): Promise<Committed>;
  delete(id: string, options?: InOrganization): Promise<void>;
  /**
   * The tokens that would gain and lose the endpoint by a change of its access. Use it before the change.
   *
   * @throws PosternError `endpoint_unknown`, `input_invalid`, `unavailable`
   */
  preview(id: string, changes: { readonly access: Access }, options?: InOrganization): Promise<AccessPreview>;
}

const ATTEMPTS = 5;

export function createEndpoints(
  ground: Ground,
  forgetting: Forgetting,
  authority: Authority,
  changes: ChangeLog,
): Alone<Endpoints> {
  const { store } = ground;

  function organizationOf(options: InOrganization | undefined, what: string): string {
    return authority.organization(check(organizationInput, options ?? {}, what, 'input_invalid').organization);
  }

  async function findEndpoint(organization: string, id: unknown): Promise<StoredEndpoint> {
    const endpoint = isEndpointId(id) ? await store.findEndpoint(organization, id) : null;
    if (endpoint !== null) return endpoint;
    throw new PosternError('endpoint_unknown', `${quote(id)} is not registered: create the endpoint first`, {
      path: 'id',
    });
  }

  /** Forgets cached endpoints also if the store fails: a failed call may still have made the change. */
  function forget(organization: string, written: Promise<boolean>): Promise<boolean> {
    return written.finally(() => forgetting.endpoints(organization));
  }

  return {
    async create(input, options) {
      authority.assertMayChange();
      const given = check(createEndpointInput, input, 'endpoints.create', 'input_invalid');
      const organization = organizationOf(
        { ...options, organization: options?.organization ?? given.organization },
        'endpoints.create',
      );
      const now = ground.time.read();
      const endpoint: StoredEndpoint = {
        uid: newId(ground.settings.random),
        organization,
        id: given.id,
        access: given.access,
        createdAt: now,
        updatedAt: now,
        version: 1,
      };
      const { change, announce } = changes.endpoint('endpoint.created', null, endpoint, now);
      if (!(await forget(organization, store.insertEndpoint(endpoint, change)))) {
        throw new PosternError(
          'endpoint_exists',
          `${quote(given.id)} is already registered: update the endpoint, or choose another id`,
          { path: 'id' },
        );
      }
      announce();
      return shownEndpoint(endpoint);
    },

    async get(id, options) {
      const organization = organizationOf(options, 'endpoints.get');
      const endpoint = isEndpointId(id) ? await store.findEndpoint(organization, id) : null;
      return endpoint && shownEndpoint(endpoint);
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
        items: page.map(shownEndpoint),
        nextCursor: endpoints.length > given.limit ? (page.at(-1)?.id ?? null) : null,
      };
    },

    async update(id, input, options) {
      authority.assertMayChange();
      const organization = organizationOf(options, 'endpoints.update');
      const given = check(updateEndpointInput, input, 'endpoints.update', 'input_invalid');
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const endpoint = await findEndpoint(organization, id);
        if (given.access === undefined || given.access === endpoint.access) return shownEndpoint(endpoint);
        const now = ground.time.read();
        const next = { ...endpoint, access: given.access, updatedAt: now, version: endpoint.version + 1 };
        const { change, announce } = changes.endpoint('endpoint.updated', endpoint, next, now);
        if (await forget(organization, store.replaceEndpoint(next, endpoint.version, change))) {
          announce();
          return shownEndpoint(next);
        }
      }
      throw new PosternError(
        'conflict',
        'the endpoint was changed by someone else at the same time: read it, and try again',
      );
    },

    async delete(id, options) {
      authority.assertMayChange();
      const organization = organizationOf(options, 'endpoints.delete');
      const endpoint = isEndpointId(id) ? await store.findEndpoint(organization, id) : null;
      if (endpoint === null) return;
      const { change, announce } = changes.endpoint('endpoint.deleted', endpoint, null, ground.time.read());
      if (await forget(organization, store.deleteEndpoint(organization, id, change))) announce();
    },

    async preview(id, input, options) {
      const organization = organizationOf(options, 'endpoints.preview');
      const { access } = check(previewEndpointInput, input, 'endpoints.preview', 'input_invalid');
      const { previewAccess } = await import('./preview.js');
      return previewAccess(ground, changes, await findEndpoint(organization, id), access);
    },
  };
}
