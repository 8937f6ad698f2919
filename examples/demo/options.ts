import { parseArgs } from 'node:util';

export interface DemoOptions {
  readonly once: boolean;
  readonly help: boolean;
  /** Where the database is kept; `null`: in a folder that is removed at the end. */
  readonly database: string | null;
}

export const HELP = `npm run demo -- [options]

Shows the tutorial of API tokens on this machine: three deployments, three tokens, an
Express, a Fastify and a gRPC server, and what comes of each call. Then the servers stay
up for you to try, until Ctrl-C.

  --once             end after the attempts: 0 when every decision was the expected one, else 1
  --database PATH    keep the SQLite database in this file (else it is removed at the end)
  --help             show this

Colours are left out in a pipe, and where NO_COLOR is set.
`;

/** @throws TypeError for an option that there is not */
export function readOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { once: { type: 'boolean' }, help: { type: 'boolean', short: 'h' }, database: { type: 'string' } },
  });
  return { once: values.once ?? false, help: values.help ?? false, database: values.database ?? null };
}
