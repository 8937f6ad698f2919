import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

/** The used part of `libsql`. */
interface Database {
  readonly inTransaction: boolean;
  prepare(sql: string): {
    readonly reader: boolean;
    columns(): readonly { readonly name: string }[];
    raw(): { safeIntegers(is: true): { all(...values: unknown[]): unknown[][] } };
    run(...values: unknown[]): { readonly changes: number };
  };
  close(): void;
}
const Libsql = createRequire(import.meta.url)('libsql') as new (filename: string) => Database;

/** `value` of an integer is a text. */
interface Value {
  readonly type: 'null' | 'integer' | 'float' | 'text';
  readonly value?: string | number;
}

interface Statement {
  readonly sql?: string;
  readonly sql_id?: number;
  readonly args?: readonly Value[];
}

interface Condition {
  readonly type: 'ok' | 'error' | 'not' | 'and' | 'or' | 'is_autocommit';
  readonly step?: number;
  readonly cond?: Condition;
  readonly conds?: readonly Condition[];
}

interface Step {
  readonly condition?: Condition;
  readonly stmt: Statement;
}

type Request =
  | { readonly type: 'execute'; readonly stmt: Statement }
  | { readonly type: 'batch'; readonly batch: { readonly steps: readonly Step[] } }
  | { readonly type: 'store_sql'; readonly sql_id: number; readonly sql: string }
  | { readonly type: 'close_sql'; readonly sql_id: number }
  | { readonly type: 'close' };

/**
 * A server of files of SQLite for `@libsql/client` over HTTP, as Turso has them: version 2 of the protocol Hrana, in JSON
 * (github.com/tursodatabase/libsql, docs/HRANA_2_SPEC.md), as far as that client speaks it for single statements and batches. The
 * file is the first part of a request's path, in hexadecimal digits.
 */
export async function hranaServer(): Promise<{ url(file: string): string; close(): Promise<void> }> {
  const streams = new Map<string, Stream>();
  const server = createServer(async (request, response) => {
    const [, file = '', ...path] = (request.url ?? '').split('/');
    if (request.method !== 'POST' || path.join('/') !== 'v2/pipeline') {
      response.writeHead(404).end();
      return;
    }
    const { baton: given, requests } = await bodyOf(request);
    const stream = given ? streams.get(given) : new Stream(new Libsql(Buffer.from(file, 'hex').toString()));
    if (stream === undefined) {
      response.writeHead(400).end(JSON.stringify({ message: 'the stream has ended', code: 'STREAM_EXPIRED' }));
      return;
    }
    if (given) streams.delete(given);
    const results = requests.map((each) => stream.answer(each));
    const baton = stream.isOpen ? randomUUID() : null;
    if (baton !== null) streams.set(baton, stream);
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ baton, base_url: null, results }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (file) => `http://127.0.0.1:${port}/${Buffer.from(file).toString('hex')}/`,
    close: async () => {
      await new Promise((resolve) => server.close(resolve).closeAllConnections());
      for (const stream of streams.values()) stream.close();
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<{ baton?: string; requests: readonly Request[] }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}

/** A connection, and the texts that were stored in it. */
class Stream {
  readonly #database: Database;
  readonly #texts = new Map<number, string>();
  isOpen = true;

  constructor(database: Database) {
    this.#database = database;
  }

  close(): void {
    this.isOpen = false;
    this.#database.close();
  }

  answer(request: Request): unknown {
    try {
      return { type: 'ok', response: { type: request.type, ...this.#responseTo(request) } };
    } catch (error) {
      return { type: 'error', error: told(error) };
    }
  }

  #responseTo(request: Request): object {
    switch (request.type) {
      case 'execute':
        return { result: this.#execute(request.stmt) };
      case 'batch':
        return { result: this.#batch(request.batch.steps) };
      case 'store_sql':
        this.#texts.set(request.sql_id, request.sql);
        return {};
      case 'close_sql':
        this.#texts.delete(request.sql_id);
        return {};
      case 'close':
        this.close();
        return {};
      default:
        throw new Error(`this server knows no ${(request as { type: string }).type}`);
    }
  }

  #batch(steps: readonly Step[]): object {
    const [results, errors]: [unknown[], unknown[]] = [[], []];
    const holds = ({ type, step = -1, cond, conds = [] }: Condition): boolean => {
      if (type === 'ok') return Boolean(results[step]);
      if (type === 'error') return Boolean(errors[step]);
      if (type === 'is_autocommit') return !this.#database.inTransaction;
      if (type === 'not') return !holds(cond as Condition);
      return type === 'and' ? conds.every(holds) : conds.some(holds);
    };
    for (const { condition, stmt } of steps) {
      let [result, error]: [unknown, unknown] = [null, null];
      try {
        if (condition === undefined || holds(condition)) result = this.#execute(stmt);
      } catch (reason) {
        error = told(reason);
      }
      results.push(result);
      errors.push(error);
    }
    return { step_results: results, step_errors: errors };
  }

  #execute({ sql, sql_id: id = -1, args = [] }: Statement): object {
    const statement = this.#database.prepare(sql ?? (this.#texts.get(id) as string));
    const values = args.map(({ type, value }) =>
      type === 'null' ? null : type === 'integer' ? BigInt(value ?? 0) : value,
    );
    if (!statement.reader) {
      return { cols: [], rows: [], affected_row_count: statement.run(...values).changes, last_insert_rowid: null };
    }
    const cols = statement.columns().map(({ name }) => ({ name, decltype: null }));
    const rows = statement
      .raw()
      .safeIntegers(true)
      .all(...values);
    return { cols, rows: rows.map((row) => row.map(encoded)), affected_row_count: 0, last_insert_rowid: null };
  }
}

function encoded(value: unknown): Value {
  if (value === null) return { type: 'null' };
  if (typeof value === 'bigint') return { type: 'integer', value: String(value) };
  return typeof value === 'number' ? { type: 'float', value } : { type: 'text', value: value as string };
}

function told(error: unknown): { message: string; code: string } {
  const { message, code = 'UNKNOWN' } = error as Error & { code?: string };
  return { message: `SQLite error: ${message}`, code };
}
