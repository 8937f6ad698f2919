import type { Change } from '../../ports/changes.js';
import type { NewToken, TokenRemoval } from '../../ports/records.js';
import { encodeChange, ofToken } from '../shared/feed/message.js';
import type { Dialect, RecordColumns, Values } from './dialect.js';
import type { SqlStatement } from './driver.js';
import {
  CHANGE_PARAMETERS,
  changeValues,
  namesOf,
  parametersOf,
  SECRET_FIELDS,
  secretValues,
  TOKEN_FIELDS,
  tokenValues,
} from './rows.js';
import { statementsOf, type Write } from './write.js';

/** A change of many tokens. Each record has the values of one token and its change, under the names of the parameters. */
interface BatchWrite {
  readonly columns: RecordColumns;
  /** Changes the tokens that may be changed, and sets their `last_change`. @param given the source of the records */
  readonly first: (given: string) => string;
  /** @param written the records of the tokens that were changed, with `seq` */
  readonly parts: (written: string) => readonly string[];
  /** Removes the tokens after that. */
  readonly last?: (given: string) => string;
}

const NEW_TOKEN = `:id, #lastUsedAt, ${parametersOf(TOKEN_FIELDS)}`;
const NEW_SECRET = parametersOf(SECRET_FIELDS);
const CHANGE = `${CHANGE_PARAMETERS}, :told`;
const REMOVAL = `:id, #expectedVersion, ${CHANGE}`;

/** The statements that write or remove many tokens. */
export class TokenBatches {
  readonly #dialect: Dialect;
  readonly #insertOne: Write;
  readonly #insert: readonly string[];
  readonly #delete: readonly string[];

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    const [tokens, secrets] = [dialect.table('tokens'), dialect.table('secrets')];
    /** Not NOT EXISTS: a database that expects many records would read the whole table for it. */
    const areFree = (value: (parameter: string) => string) =>
      [
        [tokens, 'id', ':id'],
        [secrets, 'digest', ':digest'],
        [secrets, 'key_id', ':keyId'],
      ]
        .map(
          ([table, column, name = '']) => `(SELECT ${column} FROM ${table} WHERE ${column} = ${value(name)}) IS NULL`,
        )
        .join(' AND ');
    const newTokens = `INSERT INTO ${tokens} (id, last_used_at, ${namesOf(TOKEN_FIELDS)})`;
    const newSecrets = `INSERT INTO ${secrets} (token, ${namesOf(SECRET_FIELDS)})`;
    this.#insertOne = {
      first: `${newTokens} SELECT ${NEW_TOKEN} ${dialect.fromNothing} WHERE ${areFree((name) => name)}`,
      source: `(SELECT seq FROM ${tokens} WHERE id = :id AND last_change = :change) written`,
      columns: 'seq',
      parts: (written) => [`${newSecrets} SELECT seq, ${NEW_SECRET} FROM ${written}`],
      isTold: false,
    };
    const insert: BatchWrite = {
      columns: columnsOf(`${NEW_TOKEN}, ${NEW_SECRET}, ${CHANGE}`),
      first: (given) => `${newTokens} SELECT ${inRecord(NEW_TOKEN)} FROM ${given} given
        WHERE ${areFree((name) => `given.${inRecord(name)}`)} ORDER BY ${inRecord(':id')}`,
      // Both in one order, so that batches with the same ids or digests never deadlock.
      parts: (written) => [
        `${newSecrets} SELECT seq, ${inRecord(NEW_SECRET)} FROM ${written} ORDER BY ${inRecord(':digest')}`,
      ],
    };
    const [id, change, expected] = [':id', ':change', '#expectedVersion'].map((name) => `given.${inRecord(name)}`);
    const isNamed = `there.id = ${id} AND (${expected} IS NULL OR there.version = ${expected})`;
    const remove: BatchWrite = dialect.isOneStatement
      ? {
          columns: columnsOf(REMOVAL),
          first: (given) => `DELETE FROM ${tokens} WHERE seq = ANY (ARRAY(
            SELECT there.seq FROM ${tokens} there JOIN ${given} given ON ${isNamed} ORDER BY there.id FOR UPDATE OF there))`,
          parts: () => [],
        }
      : {
          columns: columnsOf(REMOVAL),
          first: (given) => dialect.updateTokens(given, 'last_change', change as string, isNamed),
          // Not left to ON DELETE CASCADE: that depends on a setting of the connection, and nothing must outlive a token.
          parts: (written) =>
            ['secrets', 'uses', 'token_days'].map((table) =>
              dialect.deleteListed(table, 'token', written, 'written.seq'),
            ),
          last: (given) => dialect.deleteChanged(given, id as string, change as string),
        };
    this.#insert = textsOf(dialect, insert, false);
    this.#delete = textsOf(dialect, remove, true);
  }

  insert(tokens: readonly NewToken[]): readonly SqlStatement[] {
    const records = tokens.map(({ token, secret, change }) => {
      return { ...tokenValues(token), ...secretValues(secret), ...changeValues(change) };
    });
    // One token's values are parameters: a database plans them once, and keeps no table for them.
    const [only, ...others] = records;
    if (only !== undefined && others.length === 0) return statementsOf(this.#dialect, this.#insertOne, only);
    return this.#statements(this.#insert, records);
  }

  delete(removals: readonly TokenRemoval[]): readonly SqlStatement[] {
    const records = removals.map(({ id, expectedVersion, change }) => {
      return { id, expectedVersion, ...changeValues(change), told: encodeChange(change, ofToken(id)) };
    });
    return this.#statements(this.#delete, records);
  }

  /** Finds those of the changes that were made: a change is in the log if, and only if, it was. */
  made(changes: readonly Change[]): SqlStatement {
    const asked = this.#dialect.records(':ids', { id: 'text' });
    const sql = `SELECT c.id FROM ${asked} asked JOIN ${this.#dialect.table('changes')} c ON c.id = asked.id`;
    return this.#dialect.statement(sql, { ids: JSON.stringify(changes.map(({ id }) => ({ id }))) });
  }

  /** Planned for each call: by the number of records PostgreSQL looks each token up, or reads all. */
  #statements(texts: readonly string[], values: readonly Values[]): readonly SqlStatement[] {
    const records = { records: JSON.stringify(values.map(toRecord)) };
    const isDecided = !this.#dialect.isOneStatement;
    return texts.map((sql, index) => this.#dialect.statement(sql, records, { decides: isDecided && index === 0 }));
  }
}

/** Stands for the source of the records in a text. */
const SOURCE = '@records';

/** The statements of a batch, in their order. The first one decides. @param isTold whether other processes are told */
function textsOf(dialect: Dialect, write: BatchWrite, isTold: boolean): readonly string[] {
  return templatesOf(dialect, write, isTold).map((text) =>
    text.replaceAll(SOURCE, dialect.records(':records', usedIn(text, write.columns))),
  );
}

function templatesOf(dialect: Dialect, { first, parts, last }: BatchWrite, isTold: boolean): readonly string[] {
  const record = (written: string) => dialect.record(written, isTold).map(inRecord);
  if (dialect.isOneStatement) {
    const all = parts('written').map((sql, index) => `, part${index} AS (${sql})`);
    const [recorded, told] = record('written');
    return [
      `WITH given AS MATERIALIZED (SELECT * FROM ${SOURCE} records),
        changed AS (${first('given')} RETURNING seq, id),
        written AS (SELECT changed.seq, given.* FROM changed JOIN given ON given.${inRecord(':id')} = changed.id)
        ${all.join('')}, recorded AS (${recorded}) ${told}`,
    ];
  }
  const written = `(SELECT t.seq, given.* FROM ${SOURCE} given JOIN ${dialect.table('tokens')} t
      ON t.id = given.${inRecord(':id')} AND t.last_change = given.${inRecord(':change')}) written`;
  return [first(SOURCE), ...parts(written), ...record(written), ...(last === undefined ? [] : [last(SOURCE)])];
}

/** Few, because each costs as much as the reading of a row. */
function usedIn(text: string, columns: RecordColumns): RecordColumns {
  return Object.fromEntries(Object.entries(columns).filter(([name]) => new RegExp(`\\b${name}\\b`).test(text)));
}

const PARAMETER = /(?<![:\w])([:#])([a-z]\w*)/gi;

/** The columns of a record in the place of parameters. Their names are in lower case for PostgreSQL, and no word of a database. */
function inRecord(sql: string): string {
  return sql.replace(PARAMETER, (_, _sign: string, name: string) => columnOf(name));
}

function columnOf(parameter: string): string {
  return `given_${parameter.toLowerCase()}`;
}

function columnsOf(parameters: string): RecordColumns {
  return Object.fromEntries(
    [...parameters.matchAll(PARAMETER)].map(([, sign, name]) => [
      columnOf(name as string),
      sign === ':' ? 'text' : 'integer',
    ]),
  );
}

/** What is `null` is left out: a database reads that as NULL. @throws TypeError for a number that JSON would change */
function toRecord(values: Values): Values {
  const given = Object.entries(values).filter(([, value]) => value !== null);
  return Object.fromEntries(
    given.map(([name, value]) => {
      if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new TypeError(`${name} is no integer`);
      if (value === undefined) throw new TypeError(`${name} is missing`);
      return [columnOf(name), value];
    }),
  );
}
