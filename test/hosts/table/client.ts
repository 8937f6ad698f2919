import { CASES, type Case } from '../../transports/cases.js';
import { type RawAnswer, send } from '../../transports/http-client.js';
import { assertAnswered } from '../../transports/http-expected.js';
import { isOffered } from '../../transports/targets.js';
import type { TokenName } from '../../transports/world.js';

export interface Server {
  readonly port: number;
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

/** Gives a command to the world in the other process. */
export type Command = (path: string) => Promise<unknown>;

/** @param port where `controlled` answers */
export function commandTo(port: number): Command {
  return async (path) => {
    const { status, body } = await send(port, { path });
    if (status !== 200) throw new Error(`${path} answered ${status}: ${body}`);
    return JSON.parse(body);
  };
}

/**
 * Puts every case of the table to a server of another process.
 *
 * @returns the names of the cases with another outcome than the promised one, each with the difference
 */
export async function judge(name: string, server: Server, command: Command): Promise<ReadonlyMap<string, string>> {
  const tokens = (await command('/-/tokens')) as Readonly<Record<TokenName, string>>;
  const failed = new Map<string, string>();
  for (const each of CASES.filter(({ target }) => isOffered(name, target))) {
    if (each.storeDown) await command('/-/store?down=true');
    try {
      assertAnswered(each, await call(server, each, tokens));
    } catch (error) {
      failed.set(each.name, (error as Error).message);
    }
    if (each.storeDown) await command('/-/store?down=false');
    const reached = (await command('/-/reached')) as unknown[];
    if (reached.length !== (each.expected === 'allowed' ? 1 : 0)) {
      failed.set(each.name, `its handler was reached ${reached.length} times`);
    }
  }
  return failed;
}

function call(server: Server, each: Case, tokens: Readonly<Record<TokenName, string>>): Promise<RawAnswer> {
  const values = [each.authorization(tokens) ?? []].flat();
  return send(server.port, {
    path: `/${each.target}`,
    headers: [...(server.headers ?? []), ...values.map((value) => ['Authorization', value] as const)],
    ...(each.inside && { from: '127.0.0.2' }),
  });
}
