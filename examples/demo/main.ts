import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isPosternError } from 'postern';
import { createClients, lookAround, missingOf } from './clients/all.js';
import { type Closers, createClosers } from './closers.js';
import { createDeployments } from './deployments.js';
import { printCommands, printEndpoints, printServers, printTokens } from './introduction.js';
import { createLiveView } from './live.js';
import { type DemoOptions, HELP, readOptions } from './options.js';
import { planOf } from './plan.js';
import { pythonSource } from './python.js';
import { runPlan } from './run.js';
import { startServers } from './servers/all.js';
import { printScore, printTable } from './table.js';
import { createTerminal } from './terminal.js';
import { createWitness } from './witness.js';
import { createTokens, openPostern, registerEndpoints } from './world.js';

const terminal = createTerminal(process.stdout, process.env);

/** The story of the tutorial. Resolves to the exit code; rejects where it is stopped before its attempts are through. */
async function demo(options: DemoOptions, opened: Closers, stop: AbortSignal): Promise<number> {
  const machine = await lookAround();
  const folder = await mkdtemp(join(tmpdir(), 'postern-demo-'));
  opened.add(() => rm(folder, { recursive: true, force: true }));
  const database = options.database === null ? join(folder, 'postern.db') : resolve(options.database);

  const live = createLiveView(terminal);
  const postern = openPostern(database, live.onEvent);
  opened.add(() => postern.close());
  await registerEndpoints(postern);
  printEndpoints(terminal, database);
  const tokens = await createTokens(postern);
  printTokens(terminal, tokens);

  const witness = createWitness();
  const serving = { postern, deployments: createDeployments(), onDenied: witness.onDenied };
  const servers = await startServers(serving, (server) => opened.add(() => server.close()));
  const { certificate } = servers;
  const ports = { express: servers.express.port, fastify: servers.fastify.port, grpc: servers.grpc.port };
  const authority = join(folder, 'ca.pem');
  const script = join(folder, 'client.py');
  await writeFile(authority, certificate);
  await writeFile(script, pythonSource({ token: tokens.user.token, port: ports.grpc, authority }), { mode: 0o600 });
  printServers(terminal, ports, authority);
  printCommands(terminal, { ports, tokens, python: machine.python ?? '/usr/bin/python3', script, authority });

  const missing = missingOf(machine);
  const clients = await createClients(machine, { ports, certificate, script });
  const all = [...clients.own, ...clients.others];
  opened.add(() => Promise.all(all.map((client) => client.close?.())));
  const plan = planOf(postern, tokens, machine.inside);
  const transports = all.map(({ transport }) => transport);
  const table = printTable(terminal, plan, transports, missing);
  const score = await runPlan(plan, clients, witness, table, stop);
  printScore(terminal, score);

  if (options.once) {
    const incomplete = missing.length > 0 && Boolean(process.env.CI);
    if (incomplete)
      terminal.line(terminal.paint('red', 'On CI no attempt may be left out: this run counts as failed.'));
    return score.unexpected > 0 || incomplete ? 1 : 0;
  }
  terminal.heading('6. Your turn');
  terminal.line('The servers are up, the commands of part 4 work, and each decision shows here. Ctrl-C ends it.');
  live.start(tokens);
  await aborted(stop);
  terminal.line();
  terminal.note(
    `Closing: calls under way finish.${options.database === null ? '' : ` The database stays: ${database}`}`,
  );
  return 0;
}

async function main(): Promise<number> {
  let options: DemoOptions;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const stop = new AbortController();
  // Ctrl-C reaches this process from the terminal, and again through npm: it is handled for good.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  const opened = createClosers();
  try {
    return await demo(options, opened, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return 130;
    process.stderr.write(`${isPosternError(error) ? `${error.message} (${error.code})` : (error as Error).stack}\n`);
    return 1;
  } finally {
    await opened.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

process.exitCode = await main();
