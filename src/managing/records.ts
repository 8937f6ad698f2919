import { findDeadGrants } from '../base/dead-grants.js';
import type { Ground } from '../base/ground.js';
import { inTurn } from '../base/turns.js';
import type { TokenRecord } from '../domain/token-record.js';
import type { StoredToken } from '../ports/records.js';
import type { ChangeLog } from './changes.js';

type Marks = Pick<TokenRecord, 'deadGrants'>;

/** For each token, the part of its record about grants of deleted endpoints. @throws PosternError `record_unreadable` */
export async function marksOf({ store, reader }: Ground, tokens: readonly StoredToken[]): Promise<readonly Marks[]> {
  const asked = await inTurn(tokens, (token) => ({ organization: token.organization, grants: reader.grants(token) }));
  const dead = await findDeadGrants(store, asked);
  return dead.map((deadGrants) => (deadGrants.length === 0 ? {} : { deadGrants }));
}

/** The record of a token, with its marks. @throws PosternError `record_unreadable`, `unavailable` */
export async function recordOf(ground: Ground, token: StoredToken): Promise<TokenRecord> {
  const record = ground.reader.record(token);
  const [marks] = await marksOf(ground, [token]);
  return { ...record, ...marks };
}

/** The records of many tokens. A token that can't be read is left out, with a fault event. */
export async function recordsOf(
  ground: Ground,
  changes: ChangeLog,
  tokens: readonly StoredToken[],
): Promise<readonly TokenRecord[]> {
  const now = ground.time.read();
  const read = await inTurn(tokens, (token) => ({ token, record: changes.readable(token, now) }));
  const readable = read.filter(({ record }) => record !== null) as { token: StoredToken; record: TokenRecord }[];
  const marks = await marksOf(
    ground,
    readable.map(({ token }) => token),
  );
  return readable.map(({ record }, index) => ({ ...record, ...marks[index] }));
}
