import { passingOn } from '../../base/guarded-store.js';
import type { DenialReason } from '../../domain/decision.js';
import type { Duration } from '../../domain/duration.js';
import { isLimited } from '../../domain/limits.js';
import type { Requirement } from '../../domain/requirement.js';
import type { TokenRecord } from '../../domain/token-record.js';
import type { AnyTokenTypes } from '../../domain/token-types.js';
import { createPostern, type Postern } from '../../instance/create-postern.js';
import { internalsOf } from '../../instance/internals.js';
import { limitsShape } from '../../management/wire/limits.js';
import { auditShape, endpointShape, tokenTypeShapes } from '../../management/wire/shapes.js';
import { secretShape } from '../../management/wire/tokens.js';
import type { AffectedToken } from '../../managing/preview.js';
import type { CreateToken, ListTokens } from '../../managing/tokens-api.js';
import type { Store } from '../../ports/store.js';
import { type GivenOptions, instanceOptions } from '../config/instance-options.js';
import { assertKnownGrants, assertKnownTypes } from '../config/known-types.js';
import { EXIT } from '../exit-codes.js';
import { CliError } from '../failure.js';
import type { Host } from '../host.js';
import type { AffectedView, Backend, TokenChanges, TokenView } from './backend.js';
import { unknownEndpoint, unknownToken } from './not-found.js';
import { openStore, type StoreAddress } from './open-store.js';
import { labelList, labelsOf, NOT_ACTIVE, statusOf } from './views.js';

/** Unchecked input. The library checks it, because it knows the token types. */
type AnyGrants = CreateToken<AnyTokenTypes>['types'];

export interface StoreBackendOptions extends StoreAddress, GivenOptions {
  readonly host: Host;
}

/**
 * A store without a server. The command acts as the application itself, with every right.
 *
 * @throws the errors of {@link openStore} and `createPostern`
 */
export async function storeBackend(options: StoreBackendOptions): Promise<Backend> {
  const { store, place } = await openStore(options);
  const { host, config } = options;
  const own = instanceOptions(host, config, options);
  const { organization = 'default', clock = host.clock } = own;
  const postern: Postern<AnyTokenTypes> = createPostern({
    ...own,
    store,
    // The process ends after one command, so a cache would never be used.
    cache: false,
    // The application's listener may write to our output.
    onEvent: undefined,
  });
  const { tokens, endpoints } = postern;
  const view = (record: TokenRecord) => tokenView(record, clock());
  /** The library sees every organization here. Tokens of other organizations count as unknown. */
  const find = async (id: string) => {
    const record = await tokens.get(id);
    return record?.organization === organization ? record : null;
  };
  /** A token may be older than those that {@link assertKnownTypes} looks at. Signed tokens have no record. */
  const assertKnown = async (id: string) => assertKnownGrants((await tokens.get(id))?.types ?? {}, config);
  const assertOwn = async (id: string) => {
    if ((await find(id)) === null) throw unknownToken(id);
  };

  return {
    place,
    endpoint: null,
    tokenTypes: async () => tokenTypeShapes(internalsOf(postern).ground.settings.catalog),
    async listTokens({ expires, ...query }) {
      const { items, nextCursor } = await tokens.list({ ...query, expires: expires as ListTokens['expires'] });
      return { items: items.map(view), next: nextCursor };
    },
    async createToken({ labels, owner, types, rateLimit, quota, ...input }) {
      await assertKnownTypes(store, config);
      const { token, record } = await tokens.create({
        ...input,
        types: types as AnyGrants,
        owner: owner ?? null,
        metadata: labelled({}, labels),
        ...limitsOf({ rateLimit, quota }),
      });
      return { token, record: view(record) };
    },
    async findToken(id) {
      const record = await find(id);
      // Counted in the memory of the processes that serve it, if it has any.
      if (record === null) return null;
      const secrets = (await tokens.secrets(id)).map(secretShape);
      return { ...view(record), limits: isLimited(record) ? null : [], secrets };
    },
    async updateToken(id, { labels, types, rateLimit, quota, ...rest }) {
      const record = await find(id);
      if (record === null) throw unknownToken(id);
      if (types !== undefined) assertKnownGrants(record.types, config);
      const metadata = labels && labelled(record.metadata, labels);
      const changes = { ...rest, ...limitsOf({ rateLimit, quota }), types: types as AnyGrants | undefined, metadata };
      return view(await tokens.update(id, changes));
    },
    async rotateToken(id, grace) {
      await assertOwn(id);
      const { token, record } = await tokens.rotate(id, grace === undefined ? {} : { grace: grace as Duration });
      return { token, record: view(record) };
    },
    async resetLimits(id) {
      await assertOwn(id);
      await tokens.resetLimits(id);
    },
    async revokeToken(id) {
      await assertOwn(id);
      await tokens.revoke(id);
    },
    async deleteToken(id) {
      await assertOwn(id);
      await tokens.delete(id);
    },
    pruneTokens: (olderThan) => tokens.pruneExpired({ olderThan: olderThan as Duration }),
    async importing(dryRun) {
      await assertKnownTypes(store, config);
      const forms = own.importedTokens ?? [];
      if (forms.length === 0) {
        throw new CliError(
          'no service would know these tokens: no form of imported tokens is configured. Add importedTokens to the options that postern.config exports',
        );
      }
      const { import: put } = dryRun ? createPostern({ ...own, store: unwritten(store), cache: false }).tokens : tokens;
      return (inputs) => put(inputs as readonly never[]);
    },
    async tokenUsage(id) {
      await assertOwn(id);
      return (await tokens.usage(id)).map(({ endpoint, count, lastUsedAt }) => {
        return { endpoint, count, last_used_at: lastUsedAt.toISOString() };
      });
    },
    async dailyUsage(token, { from, to }) {
      const days = {
        ...(from !== undefined && { from: new Date(from) }),
        ...(to !== undefined && { to: new Date(to) }),
      };
      if (token === null) return postern.usage(days);
      await assertOwn(token);
      return tokens.usage(token, { by: 'day', ...days });
    },
    async listEndpoints(query) {
      const { items, nextCursor } = await endpoints.list(query);
      return { items: items.map(endpointShape), next: nextCursor };
    },
    createEndpoint: async (id, access) => endpointShape(await endpoints.create({ id, access })),
    updateEndpoint: async (id, access) => endpointShape(await endpoints.update(id, { access })),
    async deleteEndpoint(id) {
      if ((await endpoints.get(id)) === null) throw unknownEndpoint(id);
      await endpoints.delete(id);
    },
    async previewEndpoint(id, access) {
      await assertKnownTypes(store, config);
      const { from, to, openToAnyone, gainCount, loseCount, more, gain, lose } = await endpoints.preview(id, {
        access,
      });
      return {
        from,
        to,
        open_to_anyone: openToAnyone,
        gain_count: gainCount,
        lose_count: loseCount,
        more,
        gain: gain.map(affectedView),
        lose: lose.map(affectedView),
      };
    },
    async listChanges(query) {
      const { items, nextCursor } = await postern.audit.list(query);
      return { items: items.map(auditShape), next: nextCursor };
    },
    async inspect(token) {
      await assertKnownTypes(store, config);
      const authentication = await postern.authenticate(token);
      if (!authentication.ok) {
        assertJudged(authentication.reason);
        return { ...NOT_ACTIVE, reason: authentication.reason };
      }
      const found = await postern.introspect(token, { limits: false });
      if (!found.active) return { ...NOT_ACTIVE, reason: null };
      const { tokenId, owner, organization: of, grants } = found.principal;
      await assertKnown(tokenId);
      return {
        active: true,
        reason: null,
        uid: tokenId,
        owner,
        organization: of,
        scopes: grants.scopes,
        endpoints: found.endpoints,
        dead_endpoints: found.deadEndpoints,
        limits: [],
        expired_at: found.endsAt?.toISOString() ?? null,
      };
    },
    async explain({ token, zone, requirement }) {
      await assertKnownTypes(store, config);
      const known = token === null ? null : await postern.authenticate(token);
      if (known?.ok) await assertKnown(known.principal.tokenId);
      const { decision, steps, remedy } = await postern.explain({
        token,
        zone,
        requirement: requirement as Requirement<AnyTokenTypes>,
      });
      if (!decision.allowed) assertJudged(decision.reason);
      return {
        allowed: decision.allowed,
        reason: decision.allowed ? null : decision.reason,
        steps,
        remedy: remedy ? { types: remedy.types, message: remedy.message } : null,
      };
    },
    close: () => postern.close(),
  };
}

/** A store that accepts a new token as it would, and writes none. */
function unwritten(store: Store): Store {
  const seen = new Set<string>();
  return {
    ...passingOn((pass) => pass(store)),
    async insertTokens(tokens) {
      const digests = tokens.map(({ secret }) => secret.digest);
      const found = await Promise.all(digests.map((digest) => store.findTokenByDigest([digest])));
      return digests.map((digest, index) => {
        const isFree = found[index] === null && !seen.has(digest);
        seen.add(digest);
        return isFree;
      });
    },
  };
}

/** Throws for a fault: a token that can't be looked up is not an invalid one. */
function assertJudged(reason: DenialReason): void {
  if (reason === 'unavailable')
    throw new CliError('the store gives no answer. Check it, and try again', EXIT.unavailable);
  if (reason === 'internal_error')
    throw new CliError("the token's record can't be read. Look at it in the store, or delete it");
}

function tokenView(record: TokenRecord, now: number): TokenView {
  const { expiresAt, revokedAt, metadata } = record;
  return {
    uid: record.id,
    name: record.name,
    description: record.description,
    status: statusOf(revokedAt !== null, expiresAt, now),
    types: record.types as TokenView['types'],
    dead_grants: record.deadGrants ?? [],
    organization: record.organization,
    owner: record.owner,
    ownership: record.ownership,
    hint: record.hint,
    labels: labelsOf(metadata.labels),
    ...limitsShape(record),
    created_at: record.createdAt.toISOString(),
    updated_at: record.updatedAt.toISOString(),
    expired_at: expiresAt?.toISOString() ?? null,
    revoked_at: revokedAt?.toISOString() ?? null,
    last_used_at: record.lastUsedAt?.toISOString() ?? null,
  };
}

/** The library refuses texts that are no durations. */
function limitsOf({ rateLimit, quota }: Pick<TokenChanges, 'rateLimit' | 'quota'>) {
  return { rateLimit: rateLimit as CreateToken['rateLimit'], quota: quota as CreateToken['quota'] };
}

/** Sets the labels in a token's metadata, as the management API does. Other metadata stays. */
function labelled(
  metadata: TokenRecord['metadata'],
  labels: Readonly<Record<string, string>>,
): TokenRecord['metadata'] {
  const list = labelList(labels);
  const { labels: _, ...rest } = metadata;
  return list.length === 0 ? rest : { ...rest, labels: list };
}

function affectedView({ record, lastUsedAt }: AffectedToken): AffectedView {
  return { uid: record.id, name: record.name, owner: record.owner, last_used_at: lastUsedAt?.toISOString() ?? null };
}
