/** Over how many rows each count is spread, so that as many creations at once wait for none of the others. */
const SLOTS = 32;

/** What holds of each token: the condition that the index over all organizations is found by. */
export const EVERY_TOKEN = 'seq > 0';

/**
 * Version 2: the key of a secret, entries, and counts of tokens that are kept rather than counted.
 *
 * A count is the sum of its slots. A token belongs to the slot that its `seq` says for as long as it is there: creations
 * take the slots in turn, and what a creation adds, the deletion takes from the same row. So a row that comes to 0 counts
 * nothing, and goes.
 *
 * The order of the statements is that in which the store's own ones lock, so that an upgrade beside them comes to no deadlock:
 * `tokens` first (with the triggers, which keeps writers away, and no reader). What keeps readers away too is last, so that they
 * wait for a moment: `secrets`, which they lock first, and then the index of `tokens`.
 */
export function version2(s: string): readonly string[] {
  return [
    `CREATE TABLE ${s}.token_counts (
  organization text COLLATE "C" NOT NULL,
  ownership text COLLATE "C" NOT NULL,
  slot integer NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (organization, ownership, slot)
) WITH (fillfactor = 50)`,
    `CREATE TABLE ${s}.token_totals (
  ownership text COLLATE "C" NOT NULL,
  slot integer NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (ownership, slot)
) WITH (fillfactor = 50)`,
    triggerFunction(s, 'count_tokens', counting(s, 'SELECT organization, ownership, seq, 1 FROM made')),
    triggerFunction(s, 'uncount_tokens', uncounting(s, 'SELECT organization, ownership, seq, -1 FROM gone')),
    triggerFunction(
      s,
      'recount_token',
      uncounting(
        s,
        'VALUES (OLD.organization, OLD.ownership, OLD.seq, -1), (NEW.organization, NEW.ownership, NEW.seq, 1)',
      ),
    ),
    triggerFunction(s, 'clear_token_counts', `DELETE FROM ${s}.token_counts; DELETE FROM ${s}.token_totals;`),
    `REVOKE ALL ON FUNCTION ${s}.count_tokens(), ${s}.uncount_tokens(), ${s}.recount_token(), ${s}.clear_token_counts()
FROM PUBLIC`,
    // One statement, so that also by hand, outside of a transaction, no token comes between the triggers and the first count.
    // Changes are counted row by row, where they change what is counted at all: a trigger with transition tables can't name
    // columns, and would cost each batch of uses a copy of its rows.
    `DO $do$ BEGIN
  CREATE TRIGGER tokens_are_counted AFTER INSERT ON ${s}.tokens
    REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION ${s}.count_tokens();
  CREATE TRIGGER tokens_are_uncounted AFTER DELETE ON ${s}.tokens
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION ${s}.uncount_tokens();
  CREATE TRIGGER tokens_are_recounted AFTER UPDATE OF organization, ownership ON ${s}.tokens FOR EACH ROW
    WHEN ((OLD.organization, OLD.ownership) IS DISTINCT FROM (NEW.organization, NEW.ownership))
    EXECUTE FUNCTION ${s}.recount_token();
  CREATE TRIGGER tokens_are_cleared AFTER TRUNCATE ON ${s}.tokens
    FOR EACH STATEMENT EXECUTE FUNCTION ${s}.clear_token_counts();
  INSERT INTO ${s}.token_counts (organization, ownership, slot, count)
    SELECT organization, ownership, seq % ${SLOTS}, count(*) FROM ${s}.tokens GROUP BY 1, 2, 3;
  INSERT INTO ${s}.token_totals (ownership, slot, count)
    SELECT ownership, slot, sum(count) FROM ${s}.token_counts GROUP BY 1, 2;
END $do$`,
    `CREATE INDEX tokens_by_ownership ON ${s}.tokens (organization, ownership, created_at DESC, id DESC)`,
    `CREATE TABLE ${s}.entries (
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  value text NOT NULL,
  expires_at bigint,
  version bigint NOT NULL,
  PRIMARY KEY (kind, id)
)`,
    `CREATE INDEX entries_by_end ON ${s}.entries (expires_at) WHERE expires_at IS NOT NULL`,
    // Only who asks for it by this condition, which always holds, gets this index. Else a page of a large organization might be
    // read from it, past all the newer tokens of others.
    `CREATE INDEX tokens_of_all ON ${s}.tokens (created_at DESC, id DESC) WHERE ${EVERY_TOKEN}`,
    `ALTER TABLE ${s}.secrets ADD COLUMN key_id text COLLATE "C", ADD COLUMN public_key text`,
    `CREATE UNIQUE INDEX secrets_by_key ON ${s}.secrets (key_id) WHERE key_id IS NOT NULL`,
    `DROP INDEX ${s}.tokens_by_age`,
  ];
}

/**
 * With the rights of who made the tables: a role that may only read and write tokens need not be let near the counts, and
 * goes on working while an upgrade has made them and nobody has granted it anything on them yet.
 *
 * @param work PL/pgSQL statements, each with its semicolon
 */
function triggerFunction(s: string, name: string, work: string): string {
  return `CREATE FUNCTION ${s}.${name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE emptied tid[];
BEGIN
  ${work}
  RETURN NULL;
END $$`;
}

/**
 * Adds to the counts. The rows are taken in one order, those of organizations before the totals, and nothing after them:
 * statements at once wait for each other and never in a circle. By INSERT and not by UPDATE, which under `serializable` would
 * read, and so clash with whoever counts in another row.
 *
 * @param source rows of a token's organization, ownership and `seq`, and what to add for it
 */
function counting(s: string, source: string): string {
  return `${addByOrganization(s, source)};
  ${addToTotals(s, source)};`;
}

/** The same where rows may come to 0. They go by where they are, as looking for them would be a read too. */
function uncounting(s: string, source: string): string {
  return `WITH moved AS (
    ${addByOrganization(s, source)} RETURNING c.ctid AS place, c.count AS n)
  SELECT array_agg(place) INTO emptied FROM moved WHERE n = 0;
  IF emptied IS NOT NULL THEN DELETE FROM ${s}.token_counts WHERE ctid = ANY (emptied); END IF;
  ${addToTotals(s, source)};`;
}

function addByOrganization(s: string, source: string): string {
  return `INSERT INTO ${s}.token_counts AS c (organization, ownership, slot, count)
    SELECT organization, ownership, seq % ${SLOTS}, sum(n)
    FROM (${source}) AS x (organization, ownership, seq, n) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (organization, ownership, slot) DO UPDATE SET count = c.count + excluded.count`;
}

function addToTotals(s: string, source: string): string {
  return `INSERT INTO ${s}.token_totals AS c (ownership, slot, count)
    SELECT ownership, seq % ${SLOTS}, sum(n)
    FROM (${source}) AS x (organization, ownership, seq, n) GROUP BY 1, 2 HAVING sum(n) <> 0 ORDER BY 1, 2
    ON CONFLICT (ownership, slot) DO UPDATE SET count = c.count + excluded.count`;
}
