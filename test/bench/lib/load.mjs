import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { canPin, pinned, start } from './child.mjs';
import { figure, median, ratios, spread } from './figures.mjs';
import { shuffled } from './measure.mjs';

const execute = promisify(execFile);
const SERVER_CORE = 0;
const LOAD_CORE = 1;

/** Debian's package of each load generator. Both are written in C, and leave the server's core to the server. */
const PACKAGES = { wrk: 'wrk', h2load: 'nghttp2-client' };

/**
 * What a group reports where its load generator is missing, else `null`.
 *
 * @throws Error with `--require-http`
 */
export function withoutTool(tool, { requireHttp }) {
  if (spawnSync(tool, ['--version']).error === undefined) return null;
  const note = `left out: there is no ${tool} here (apt-get install -y ${PACKAGES[tool]})`;
  if (requireHttp) throw new Error(note);
  return { tables: [], notes: [note], goals: [] };
}

/**
 * Servers under load, one at a time, in random order in each round. Each is a process on a core of its own that is told
 * by its variant what to serve, and answers with `{ port, credentials }`; its load comes from the other core.
 *
 * @param servers `{ name, module, variant, borrows? }`: a bare server has no credentials, and gets those of another one
 * @param attack `(server, file) → Promise<{ requests, seconds }>`, `file` holding a credential a line
 */
export async function underLoad(servers, attack, settings) {
  const directory = mkdtempSync(join(tmpdir(), 'postern-load-'));
  try {
    for (const server of servers) {
      server.process = await start(server.module, [server.variant], { core: SERVER_CORE });
      server.port = server.process.ready.port;
      server.rps = [];
      server.cpu = [];
      server.busy = [];
    }
    for (const server of servers) {
      server.file = join(directory, `${server.variant}-${server.port}.txt`);
      const { credentials } = (server.borrows ?? server).process.ready;
      writeFileSync(server.file, `${credentials.join('\n')}\n`);
      settings.progress(`warming ${server.name}`);
      await attack(server, server.file, settings.loadSeconds);
    }
    for (let round = 1; round <= settings.rounds; round++) {
      settings.progress(`round ${round} of ${settings.rounds}`);
      for (const server of shuffled(servers)) await measureServer(server, attack, settings.loadSeconds);
    }
  } finally {
    for (const { process } of servers) await process?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measureServer(server, attack, seconds) {
  const before = await server.process.ask('cpu');
  const result = await attack(server, server.file, seconds);
  const cpu = (await server.process.ask('cpu')) - before;
  server.rps.push(result.requests / result.seconds);
  server.cpu.push(cpu / result.requests);
  server.busy.push(cpu / 1e6 / result.seconds);
}

/** wrk, with the credentials of the file in turn. @throws Error where an answer is not 2xx */
export async function wrk(path, server, file, seconds) {
  const script = fileURLToPath(new URL('rotate.lua', import.meta.url));
  const { call } = server.process.ready;
  const url = `http://127.0.0.1:${server.port}${call?.path ?? path}`;
  const more = call ? [call.method, call.body, call.type] : [];
  const args = ['-t1', '-c32', `-d${seconds}s`, '-s', script, url, '--', file, ...more];
  const { stdout } = await execute(...pinned(LOAD_CORE, 'wrk', args));
  const [, requests, micros, refused, broken] = /^RESULT (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout) ?? [];
  if (requests === undefined) throw new Error(`wrk gave no result:\n${stdout}`);
  if (refused !== '0' || broken !== '0') throw new Error(`${server.name}: ${refused} refused, ${broken} broken`);
  return { requests: Number(requests), seconds: Number(micros) / 1e6 };
}

/** h2load with one gRPC message and one set of headers: it can't rotate them. @throws Error where a call fails */
export async function h2load(path, server, { frame, headers }, seconds) {
  const args = ['-t1', '-c8', '-m8', `-D${seconds}`, '-d', frame, ...headers.map((header) => `-H${header}`)];
  const { stdout } = await execute(...pinned(LOAD_CORE, 'h2load', [...args, `http://127.0.0.1:${server.port}${path}`]));
  const [, done, failed] = /^requests: .* (\d+) done, .* (\d+) failed/m.exec(stdout) ?? [];
  if (done === undefined || failed !== '0') throw new Error(`${server.name}: h2load failed:\n${stdout}`);
  return { requests: Number(done), seconds };
}

/** Below this share of its core a server was not what held the requests up: then requests/s say nothing of it. */
const SATURATED = 0.9;

/** Why the requests/s of these servers can't be compared, or `null`. */
export function unsaturated(...servers) {
  const least = Math.min(...servers.map(({ busy }) => median(busy)));
  return least < SATURATED ? `a server had ${figure(100 * least)}% of its core` : null;
}

/** A table of servers against the first of them. */
export function loadTable(servers) {
  const [bare] = servers;
  return {
    head: ['server', 'requests/s', `of ${bare.name}`, 'CPU a request', `of ${bare.name}`, 'core busy'],
    rows: servers.map((one) => [
      one.name,
      spread(one.rps),
      spread(ratios(one.rps, bare.rps), 'x'),
      spread(one.cpu, ' µs'),
      spread(ratios(one.cpu, bare.cpu), 'x'),
      spread(
        one.busy.map((share) => 100 * share),
        '%',
      ),
    ]),
  };
}

export const loadNotes = (tool) => [
  canPin
    ? `Servers on core ${SERVER_CORE}, ${tool} on core ${LOAD_CORE}; a process each.`
    : `NOT pinned (one core, or no taskset): server and ${tool} shared what there is.`,
  'CPU a request is steadier than requests/s: it does not count what the machine did elsewhere.',
];
