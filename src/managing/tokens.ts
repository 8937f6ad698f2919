import { check } from '../base/check.js';
import { credentialReader } from '../base/credential.js';
import { decodeCursor, encodeCursor } from '../base/cursor.js';
import type { Forgetting } from '../base/forgetting.js';
import { gathered } from '../base/gathered.js';
import { readGrants } from '../base/grant-input.js';
import type { Ground } from '../base/ground.js';
import { standingsOf } from '../base/windows.js';
import type { StoredSecret, StoredToken } from '../ports/records.js';
import type { TokenFilter } from '../ports/store.js';
import type { Authority } from './authority.js';
import type { ChangeLog } from './changes.js';
import {
  countTokensInput,
  expiryFrom,
  listTokensInput,
  rulesFrom,
  tokenUsageInput,
  updateTokenInput,
} from './inputs.js';
import { metadataFrom } from './metadata.js';
import { assertUnexpired, type ResolveGrants, writeRules } from './new-token.js';
import { recordOf, recordsOf } from './records.js';
import { createTokenEnding } from './token-ending.js';
import { createTokenIssuing } from './token-issuing.js';
import { countTokens, findTokens } from './token-lists.js';
import { createTokenRows } from './token-rows.js';
import type { Tokens } from './tokens-api.js';
import { readDays } from './usage.js';
import type { Alone } from './within.js';

export function createTokens(
  ground: Ground,
  forgetting: Forgetting,
  authority: Authority,
  changes: ChangeLog,
): Alone<Tokens> {
  const { store, reader, settings, time } = ground;
  const readCredential = credentialReader(settings);
  const rows = createTokenRows(ground, forgetting, authority, changes, readCredential);

  const resolveGrants: ResolveGrants = async (types, organization, findEndpoint = gathered(store)) => {
    const grants = await readGrants(types, settings.catalog, (id) =>
      authority.findEndpoint(id, () => findEndpoint(organization, id)),
    );
    await authority.assertHolds(grants);
    return grants;
  };

  /** `'*'` means every organization for the application. For a principal it is a name like any other. */
  function organizationOf(named: string | undefined): string | null {
    return named === '*' && authority.actor.kind === 'application' ? null : authority.organization(named);
  }

  return {
    ...createTokenIssuing(ground, forgetting, authority, changes, rows, resolveGrants),
    ...createTokenEnding(ground, forgetting, authority, rows, readCredential),

    async get(id) {
      const token = await rows.find(id, 'get');
      return token === null ? null : recordOf(ground, token);
    },

    async list(query = {}) {
      const given = check(listTokensInput, query, 'tokens.list', 'input_invalid');
      const after = given.cursor == null ? undefined : decodeCursor(given.cursor);
      const filter = { organization: organizationOf(given.organization), ...filterFrom(given, time.read()) };
      const { rows, next, cut } = await findTokens(store, filter, { after, offset: given.offset, limit: given.limit });
      const items = await recordsOf(ground, changes, rows);
      return { items, nextCursor: next && encodeCursor(next), cut, unreadable: rows.length - items.length };
    },

    async count(query = {}) {
      const given = check(countTokensInput, query, 'tokens.count', 'input_invalid');
      const filter = { organization: organizationOf(given.organization), ...filterFrom(given, time.read()) };
      return countTokens(store, filter);
    },

    async update(id, input) {
      const given = check(updateTokenInput, input, 'tokens.update', 'input_invalid');
      authority.assertMayChange();
      const limited = given.rateLimit !== undefined || given.quota !== undefined;
      const moved = given.expiresIn !== undefined || given.expiresAt !== undefined;
      const grants = given.types !== undefined;
      // A caller with limits may not change limits, not even its own.
      if (grants || moved || limited) await authority.issuance(limited ? undefined : id);
      const updated = await rows.edit(id, 'update', async (token, now): Promise<StoredToken | null> => {
        if (Object.values(given).every((value) => value === undefined)) return null;
        if (moved) assertUnexpired(token, time.latest);
        const expiresAt = moved ? (expiryFrom(given, now) ?? null) : token.expiresAt;
        if (grants || moved || limited) authority.assertOutlives(expiresAt, now);
        const types = grants ? await resolveGrants(given.types, token.organization) : null;
        // A longer life grants everything that the token holds.
        if (moved && types === null) await authority.assertHolds(reader.grants(token).stored);
        return {
          ...token,
          name: given.name ?? token.name,
          description: given.description ?? token.description,
          expiresAt,
          metadata: metadataFrom(given.metadata, token.metadata),
          ...(limited && { limits: writeRules(ground, rulesFrom(given, reader.rules(token))) }),
          ...(types !== null && { types: JSON.stringify(types), typeNames: Object.keys(types) }),
        };
      });
      return recordOf(ground, updated);
    },

    async resetLimits(id) {
      await authority.issuance();
      await rows.edit(id, 'resetLimits', (token, now) => {
        authority.assertOutlives(token.expiresAt, now);
        const rules = reader.rules(token);
        return { ...token, limits: writeRules(ground, { ...rules, windows: rules.windows + 1 }) };
      });
    },

    async limits(id) {
      const token = await rows.findToChange(id, 'limits');
      return standingsOf(ground, token.id, reader.rules(token));
    },

    async secrets(id) {
      const { id: known, expiresAt, revokedAt } = await rows.findToChange(id, 'secrets');
      const now = time.read();
      if (revokedAt !== null || (expiresAt !== null && expiresAt <= now)) return [];
      const living = (await store.listSecrets(known)).filter(({ endsAt }) => endsAt === null || endsAt > now);
      const last = ({ endsAt }: StoredSecret) => endsAt ?? Number.POSITIVE_INFINITY;
      return living
        .sort((a, b) => (last(a) === last(b) ? b.createdAt - a.createdAt : last(b) - last(a)))
        .map(({ createdAt, endsAt }) => ({
          createdAt: new Date(createdAt),
          endsAt: endsAt === null ? null : new Date(endsAt),
        }));
    },

    async usage(id, options = {}) {
      const given = check(tokenUsageInput, options, 'tokens.usage', 'input_invalid');
      const token = await rows.find(id, 'usage');
      if (token === null) return [];
      if (given.by === 'day') return (await readDays(ground, { token: token.id }, given)) as never;
      return (await store.listUsage([token.id])).map(({ endpoint, count, lastUsedAt }) => ({
        endpoint: endpoint === '' ? null : endpoint,
        count,
        lastUsedAt: new Date(lastUsedAt),
      })) as never;
    },
  };
}

function filterFrom(given: ReturnType<typeof countTokensInput.parse>, now: number): Omit<TokenFilter, 'organization'> {
  const { state, expires } = given;
  return {
    ...(given.owner !== undefined && { owner: given.owner }),
    ...(given.ownership !== undefined && { ownership: given.ownership }),
    ...(given.type !== undefined && { type: given.type }),
    ...(state !== undefined && { state: { is: state, at: now } }),
    ...(expires !== undefined && { ends: expires === 'never' ? expires : { after: now, by: now + expires } }),
    ...(given.search !== undefined && given.search !== '' && { search: given.search }),
  };
}
