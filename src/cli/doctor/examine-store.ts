import type { Migration } from '../../stores/shared/migration.js';
import { listOf } from '../../stores/sql/verify.js';
import { type MigratingStore, openStore, STORE_OF_CONFIG } from '../backend/open-store.js';
import type { Config } from '../config/load-config.js';
import type { Host } from '../host.js';
import { examineFeed } from './examine-feed.js';
import { examinePostgres } from './examine-postgres.js';
import { examineRedis } from './examine-redis.js';
import { examineSqliteFile } from './examine-sqlite.js';
import { examineTokens } from './examine-tokens.js';
import { type Finding, failed, ok, problem, warning } from './finding.js';

export interface StoreToExamine {
  readonly url: string;
  readonly namespace: string | undefined;
  readonly config: Config | null;
  readonly tokenPrefix: string;
}

/** Examines a store, and makes and upgrades nothing in it. The checks end with the first that rules out the others. */
export async function* examineStore(host: Host, asked: StoreToExamine): AsyncGenerator<Finding> {
  const { url, config, tokenPrefix } = asked;
  let store: MigratingStore | null = null;
  try {
    const opened = await openStore({ ...asked, make: false });
    store = opened.store;
    const { findings, isPooled } = await examineDatabase(host, url, opened.place);
    yield* findings;
    const migration = await store.migrate?.({ dryRun: true });
    yield migration === undefined
      ? ok('schema', `${opened.place} makes no tables`)
      : schemaFinding(migration, opened.place, asked);
    // Every other call makes the tables, or upgrades them.
    if (migration?.from !== migration?.to) return;
    await store.findEntry('doctor', 'probe', host.clock());
    yield ok('store', `The store answers: ${opened.place}`);
    yield await examineFeed(store, isPooled, host.clock());
    yield* await examineTokens(store, config, tokenPrefix);
  } catch (error) {
    yield withoutPassword(
      failed('store', error, 'Start the database, or correct its address, user and password.'),
      url,
    );
  } finally {
    await store?.close().catch(() => {});
  }
}

async function examineDatabase(
  host: Host,
  url: string,
  place: string,
): Promise<{ readonly findings: readonly Finding[]; readonly isPooled: boolean }> {
  if (/^postgres(ql)?:/i.test(url)) return examinePostgres(host, url);
  if (/^rediss?:/i.test(url)) return { findings: await examineRedis(host, url), isPooled: false };
  const findings = /^sqlite:/i.test(url) ? examineSqliteFile(place, host.platform) : [];
  return { findings, isPooled: false };
}

function schemaFinding(
  { from, to, differences = [] }: Migration,
  place: string,
  { url, namespace }: StoreToExamine,
): Finding {
  if (differences.length > 0) {
    const message = `The tables are of this version (${to}), and differ from those that it makes: ${listOf(differences)}`;
    const next =
      "postern schema --sql prints the statements of postern's own tables, for your --dialect, --schema and --prefix.";
    return problem('schema', message, next);
  }
  if (from === to) return ok('schema', `The tables are those of this version (${to})`);
  const named = url === STORE_OF_CONFIG ? url : /^sqlite:/i.test(url) ? `sqlite:${place}` : place;
  const next = `postern migrate --store ${named}${namespace === undefined ? '' : ` --namespace ${namespace}`}`;
  return from === 0
    ? warning('schema', 'The store has no tables yet: the first use makes them', next)
    : problem('schema', `The tables are of version ${from}, this postern needs ${to}`, next);
}

/** Drivers may put the address into their messages. */
function withoutPassword(finding: Finding, url: string): Finding {
  const { password } = URL.canParse(url) ? new URL(url) : { password: '' };
  const secrets = [url, password, decoded(password)].filter((each) => each !== '');
  return { ...finding, message: secrets.reduce((text, secret) => text.replaceAll(secret, '…'), finding.message) };
}

/** The text itself if it has a stray percent sign. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
