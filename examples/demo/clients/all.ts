import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Ports } from '../introduction.js';
import type { Clients } from '../run.js';
import { INSIDE } from '../servers/serving.js';
import { curlClient, findPython, hasCurl, pythonClient } from './commands.js';
import { grpcClient } from './grpc.js';
import { httpClient } from './http.js';

/** What this machine has of what the attempts make use of. */
export interface Machine {
  readonly python: string | null;
  readonly curl: boolean;
  /** Whether a call can come from the address that stands for the inside. */
  readonly inside: boolean;
}

export async function lookAround(): Promise<Machine> {
  const [python, curl, inside] = await Promise.all([findPython(), hasCurl(), hasAddress(INSIDE)]);
  return { python, curl, inside };
}

/** What is missing, with what to do about it, in a sentence each. */
export function missingOf({ python, curl, inside }: Machine): readonly string[] {
  return [
    ...(curl ? [] : ['curl is not on this machine: its attempts are left out (apt-get install curl).']),
    ...(python === null
      ? ['Python has no grpcio here: its attempts are left out (apt-get install python3-grpcio).']
      : []),
    ...(inside
      ? []
      : [
          `${INSIDE} is no address of this machine: the attempts from inside are left out (on macOS: sudo ifconfig lo0 alias ${INSIDE}).`,
        ]),
  ];
}

export interface Reached {
  readonly ports: Ports;
  readonly certificate: string;
  /** The path of the Python client. */
  readonly script: string;
}

export async function createClients(machine: Machine, { ports, certificate, script }: Reached): Promise<Clients> {
  return {
    own: [
      httpClient('Express', ports.express),
      httpClient('Fastify', ports.fastify),
      await grpcClient(ports.grpc, certificate),
    ],
    others: [
      ...(machine.curl ? [curlClient(ports.express)] : []),
      ...(machine.python === null ? [] : [pythonClient(machine.python, script)]),
    ],
  };
}

async function hasAddress(host: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(0, host);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
