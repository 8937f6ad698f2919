import type pg from 'pg';
import type { PgPool } from 'postern/stores/postgres';

export interface Asked {
  readonly text: string;
  readonly name?: string;
  readonly values: readonly unknown[];
}

/** A pool that notes every statement, and can be made to fail. */
export function spying(pool: pg.Pool) {
  const log: Asked[] = [];
  const failures: ((asked: Asked) => Error | undefined)[] = [];
  const spy: PgPool = {
    on: (event, listener) => pool.on(event, listener),
    removeListener: (event, listener) => pool.removeListener(event, listener),
    async connect() {
      const client = await pool.connect();
      return {
        on: client.on.bind(client) as never,
        removeListener: client.removeListener.bind(client),
        release: (destroy) => client.release(destroy),
        async query(query) {
          const { text, name, values = [] } = query;
          const asked = { text, values, ...(name !== undefined && { name }) };
          log.push(asked);
          const failure = failures.map((fail) => fail(asked)).find(Boolean);
          if (failure) throw failure;
          return client.query(query);
        },
      };
    },
  };
  return { spy, log, failures };
}
