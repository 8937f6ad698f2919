import { pythonSource } from './python.js';
import { HOST, INSIDE } from './servers/serving.js';
import { MODEL, PAYLOAD, TARGETS } from './targets.js';
import type { Terminal } from './terminal.js';
import { type DemoTokens, describeGrants, ENDPOINTS, ORGANIZATION } from './world.js';

/** What the reader is told before the attempts begin. */
export interface Ports {
  readonly express: number;
  readonly fastify: number;
  readonly grpc: number;
}

export function printEndpoints(terminal: Terminal, database: string): void {
  const { paint } = terminal;
  terminal.heading(`1. Deployments of ${ORGANIZATION}`);
  terminal.note(`In the SQLite file ${database}`);
  for (const { id, access, meaning } of ENDPOINTS) {
    terminal.line(`  ${id.padEnd(10)}  ${paint('yellow', access.padEnd(9))}  ${paint('dim', meaning)}`);
  }
}

export function printTokens(terminal: Terminal, tokens: DemoTokens): void {
  const { paint } = terminal;
  terminal.heading('2. Tokens');
  terminal.note('Each secret is shown this once: the store has its digest only. The record can be listed and logged.');
  for (const { token, record } of Object.values(tokens) as DemoTokens[keyof DemoTokens][]) {
    const expiry = record.expiresAt === null ? 'never expires' : `expires ${record.expiresAt.toISOString()}`;
    terminal.line();
    terminal.line(`  ${paint('bold', record.name)}  ${describeGrants(record)}`);
    terminal.line(`    secret  ${paint('cyan', token)}`);
    terminal.line(
      `    record  id ${record.id}, hint ${record.hint}, ${record.ownership}, owner ${record.owner}, ${expiry}`,
    );
  }
}

export function printServers(terminal: Terminal, ports: Ports, authority: string): void {
  terminal.heading('3. Servers');
  terminal.line(`  Express  http://${HOST}:${ports.express}`);
  terminal.line(`  Fastify  http://${HOST}:${ports.fastify}`);
  terminal.line(`  gRPC     ${HOST}:${ports.grpc}, TLS; clients trust ${authority}`);
}

export interface Pasteable {
  readonly ports: Ports;
  readonly tokens: DemoTokens;
  readonly python: string;
  /** The path of the Python client. */
  readonly script: string;
  readonly authority: string;
}

/** Commands with the real tokens and ports. They stand at the start of a line: nothing has to be taken off. */
export function printCommands(terminal: Terminal, { ports, tokens, python, script, authority }: Pasteable): void {
  const { line, note, paste } = terminal;
  const express = `http://${HOST}:${ports.express}`;
  const fastify = `http://${HOST}:${ports.fastify}`;
  const json = '-H "Content-Type: application/json"';
  const bearer = (token: string) => `-H "Authorization: Bearer ${token}"`;

  terminal.heading('4. To try it yourself');
  line('The user token reaches the summarizer:');
  paste(`curl -i "${express}${TARGETS.summarizer.path}" ${json} \\`);
  paste(`  ${bearer(tokens.user.token)} --data '${JSON.stringify(PAYLOAD)}'`);
  line();
  line('The developer token adds a model and, as models:write includes models:read, lists them:');
  paste(`curl -i "${fastify}${TARGETS['write models'].path}" ${json} \\`);
  paste(`  ${bearer(tokens.developer.token)} --data '${JSON.stringify(MODEL)}'`);
  paste(`curl -i "${fastify}${TARGETS['read models'].path}" ${bearer(tokens.developer.token)}`);
  line();
  line('The metrics, from outside and from inside the cluster:');
  paste(`curl -i "${express}${TARGETS.metrics.path}"`);
  paste(`curl -i --interface ${INSIDE} "${express}${TARGETS.metrics.path}"`);
  line();
  line('The summarizer over gRPC, in Python:');
  paste(`${python} - <<'PYTHON'`);
  paste(pythonSource({ token: tokens.user.token, port: ports.grpc, authority }).trimEnd());
  paste('PYTHON');
  line();
  line('The same client is a file. It takes another token and another method:');
  paste(`${python} ${script}`);
  paste(`${python} ${script} "${tokens.developer.token}" ${TARGETS['read models'].grpc}`);
  note('Without a token ("" in its place), or with another one, each tells you what is missing.');
}
