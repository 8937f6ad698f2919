import { check } from '../base/check.js';
import { hexToLatin1 } from '../base/digest.js';
import type { Forgetting } from '../base/forgetting.js';
import { gathered } from '../base/gathered.js';
import type { Ground } from '../base/ground.js';
import { expiryOf, isRevoked } from '../base/token-reader.js';
import { isPosternError, isUnavailable, PosternError } from '../domain/errors.js';
import { hintOf } from '../domain/token-format.js';
import type { TokenRecord } from '../domain/token-record.js';
import type { ChangeType } from '../ports/changes.js';
import type { NewSecret, StoredToken } from '../ports/records.js';
import type { Authority } from './authority.js';
import { batchesOf, MOST_OF_BATCH } from './batches.js';
import type { ChangeLog } from './changes.js';
import {
  createTokenInput as createInput,
  type createTokenInput,
  importTokenInput,
  rotateTokenInput,
} from './inputs.js';
import { assertUnexpired, newSecret, newToken, type ResolveGrants } from './new-token.js';
import { marksOf } from './records.js';
import { conflict, type TokenRows } from './token-rows.js';
import type { Tokens } from './tokens-api.js';
import type { Alone } from './within.js';

/** A token to be made. */
interface Asked {
  readonly given: ReturnType<typeof createTokenInput.parse>;
  readonly hint: string;
  readonly makeSecret: (now: number) => NewSecret;
}

/** The methods that give out a new secret, or import one. */
export function createTokenIssuing(
  ground: Ground,
  forgetting: Forgetting,
  authority: Authority,
  changes: ChangeLog,
  rows: TokenRows,
  resolveGrants: ResolveGrants,
): Pick<Alone<Tokens>, 'create' | 'import' | 'rotate'> {
  const { store, reader, settings, time, digester } = ground;

  /**
   * Writes tokens in one step, and returns for each the stored token, or the reason why it is refused.
   *
   * @param taken makes the error for a secret that already exists
   */
  async function insert(
    type: ChangeType,
    asked: readonly Asked[],
    taken: () => PosternError,
  ): Promise<readonly (StoredToken | PosternError)[]> {
    const making = await authority.making(asked.map(({ given }) => given));
    const now = time.read();
    const findEndpoint = gathered(store);
    const prepare = async ({ given, hint, makeSecret }: Asked) => {
      const organization = authority.organization(given.organization);
      const grants = await resolveGrants(given.types, organization, findEndpoint);
      const token = newToken(ground, authority, given, { organization, grants }, hint, now);
      return { token, secret: makeSecret(now), ...changes.token(type, null, token, now) };
    };
    const prepared = await Promise.all(
      asked.map((each, index) => making.refusals[index] ?? prepare(each).catch(refusalIn)),
    );
    const possible = prepared.flatMap((each) => (isPosternError(each) ? [] : [each]));
    if (possible.length === 0) return prepared.filter(isPosternError);
    const answers = await store.insertTokens(possible.map(({ token, secret, change }) => ({ token, secret, change })));
    const written = new Set(possible.filter((_, index) => answers[index]));
    for (const { announce } of written) announce();
    const refusals = await making.refusalsNow().catch(async (error) => {
      await withdraw([...written]);
      throw error;
    });
    const tooLate = [...written].filter((each) => refusals[prepared.indexOf(each)]);
    await withdraw(tooLate);
    return prepared.map((each, index) => {
      if (isPosternError(each)) return each;
      return written.has(each) ? (refusals[index] ?? each.token) : taken();
    });
  }

  async function withdraw(written: readonly { readonly token: StoredToken }[]): Promise<void> {
    if (written.length === 0) return;
    await rows.remove(
      written.map(({ token }) => token),
      'token.deleted',
    );
  }

  /** Imports tokens, and returns for each the record, or the reason why it is refused. */
  async function importSome(inputs: readonly unknown[]): Promise<readonly (TokenRecord | PosternError)[]> {
    const outcomes: (TokenRecord | PosternError)[] = [];
    const asked: (Asked & { readonly index: number })[] = [];
    for (const [index, input] of inputs.entries()) {
      try {
        asked.push({ ...importOf(input), index });
      } catch (error) {
        outcomes[index] = refusalIn(error);
      }
    }
    if (asked.length > 0) assertAnnounced();
    for (const batch of batchesOf(asked, ({ given }) => JSON.stringify(given).length)) {
      const stored = await insert('token.imported', batch, alreadyThere);
      forgetting.absences();
      for (const [place, { index }] of batch.entries()) {
        const each = stored[place] as StoredToken | PosternError;
        outcomes[index] = isPosternError(each) ? each : reader.record(each);
      }
    }
    return outcomes;
  }

  /** @throws PosternError `option_invalid` */
  function assertAnnounced(): void {
    if (settings.importedTokens.length > 0) return;
    throw new PosternError('option_invalid', 'is empty: add the form of the imported tokens first', {
      path: 'importedTokens',
      input: 'createPostern',
    });
  }

  /** @throws PosternError `input_invalid`, `option_unknown` */
  function importOf(input: unknown): Asked {
    const { digest, ...given } = check(importTokenInput, input, 'tokens.import', 'input_invalid');
    const makeSecret = (now: number) => {
      return { ...digester.write(hexToLatin1(digest)), createdAt: now, endsAt: null, key: null };
    };
    return { given, hint: `sha256:${digest.slice(0, 8)}…`, makeSecret };
  }

  return {
    async create(input) {
      const given = check(createInput, input, 'tokens.create', 'input_invalid');
      const { token, makeSecret } = await newSecret(ground);
      // 256 random bits never repeat: a collision means that `random` is broken.
      const taken = () => new PosternError('conflict', 'the new token exists already: check the random option');
      const asked = { given, hint: hintOf(token), makeSecret };
      const [stored] = await insert('token.created', [asked], taken);
      return { token, record: reader.record(made(stored)) };
    },

    async import(input: unknown) {
      if (!Array.isArray(input)) return made((await importSome([input]))[0]) as never;
      const results: PromiseSettledResult<TokenRecord>[] = [];
      for (let begin = 0; begin < input.length; begin += MOST_OF_BATCH) {
        for (const each of await importSome(input.slice(begin, begin + MOST_OF_BATCH))) {
          if (isPosternError(each)) results.push({ status: 'rejected', reason: each });
          else results.push({ status: 'fulfilled', value: each });
        }
      }
      return results as never;
    },

    async rotate(id, options = {}) {
      const { grace } = check(rotateTokenInput, options, 'tokens.rotate', 'input_invalid');
      const issuance = await authority.issuance(id);
      const token = await rows.findToChange(id, 'rotate');
      const now = time.read();
      if (isRevoked(token)) {
        throw new PosternError('token_revoked', 'a revoked token can not be rotated: create a new one', { path: 'id' });
      }
      assertUnexpired(token, time.latest);
      // The new secret gives all rights of the token, for its whole life, in its owner's name.
      await authority.assertHolds(reader.grants(token).stored);
      authority.assertOutlives(token.expiresAt, now);
      authority.assertMaySpeakFor(token);
      await rows.assertMayWrite(token);
      // Read before the rotation: a failure after it would lose the new secret.
      const [marks] = await marksOf(ground, [token]);
      const made = await newSecret(ground);
      const rotation = {
        secret: made.makeSecret(now),
        othersEndAt: Math.min(now + grace, expiryOf(token)),
        at: now,
      };
      const next = { ...token, hint: hintOf(made.token), updatedAt: now, version: token.version + 1 };
      const { change, announce } = changes.token('token.rotated', token, next, now);
      if (!(await rows.replace(next, token.version, rotation, change))) throw conflict();
      announce();
      // A caller that has ended meanwhile doesn't get the new secret.
      await issuance.assertStands();
      return { token: made.token, record: { ...reader.record(next), ...marks } };
    },
  };
}

function alreadyThere(): PosternError {
  return new PosternError('token_exists', 'a token already has this digest: it was imported before', {
    path: 'digest',
  });
}

/** @throws what is no refusal: an outage says nothing about a token */
function refusalIn(error: unknown): PosternError {
  if (!isPosternError(error) || isUnavailable(error)) throw error;
  return error;
}

/** @throws the refusal */
function made<Token>(outcome: Token | PosternError | undefined): Token {
  if (outcome === undefined || isPosternError(outcome)) throw outcome;
  return outcome;
}
