import { check } from '../base/check.js';
import { hexToLatin1 } from '../base/digest.js';
import type { Forgetting } from '../base/forgetting.js';
import type { Ground } from '../base/ground.js';
import { expiryOf, isRevoked } from '../base/token-reader.js';
import { PosternError } from '../domain/errors.js';
import { hintOf } from '../domain/token-format.js';
import type { ChangeType } from '../ports/changes.js';
import type { NewSecret, StoredToken } from '../ports/records.js';
import type { Authority } from './authority.js';
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

type Given = ReturnType<typeof createTokenInput.parse>;

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

  /** @param taken the error for a secret that already exists */
  async function insert(
    type: ChangeType,
    given: Given,
    hint: string,
    makeSecret: (now: number) => NewSecret,
    taken: () => PosternError,
  ): Promise<StoredToken> {
    const issuance = await authority.issuance(undefined, given);
    const now = time.read();
    const organization = authority.organization(given.organization);
    const grants = await resolveGrants(given.types, organization);
    const token = newToken(ground, authority, given, { organization, grants }, hint, now);
    const { change, announce } = changes.token(type, null, token, now);
    if (!(await store.insertToken(token, makeSecret(now), change))) throw taken();
    announce();
    try {
      await issuance.assertStands();
    } catch (error) {
      await rows.remove(token, 'token.deleted');
      throw error;
    }
    return token;
  }

  return {
    async create(input) {
      const given = check(createInput, input, 'tokens.create', 'input_invalid');
      const { token, makeSecret } = await newSecret(ground);
      // 256 random bits never repeat: a collision means that `random` is broken.
      const taken = () => new PosternError('conflict', 'the new token exists already: check the random option');
      const stored = await insert('token.created', given, hintOf(token), makeSecret, taken);
      return { token, record: reader.record(stored) };
    },

    async import(input) {
      const { digest, ...given } = check(importTokenInput, input, 'tokens.import', 'input_invalid');
      if (settings.importedTokens.length === 0) {
        throw new PosternError('option_invalid', 'is empty: add the form of the imported tokens first', {
          path: 'importedTokens',
          input: 'createPostern',
        });
      }
      const makeSecret = (now: number): NewSecret => ({
        ...digester.write(hexToLatin1(digest)),
        createdAt: now,
        endsAt: null,
        key: null,
      });
      const taken = () =>
        new PosternError('token_exists', 'a token already has this digest: it was imported before', { path: 'digest' });
      const stored = await insert('token.imported', given, `sha256:${digest.slice(0, 8)}…`, makeSecret, taken);
      forgetting.absences();
      return reader.record(stored);
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
