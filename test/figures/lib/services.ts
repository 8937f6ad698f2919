import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPLICATED } from '../../support/postgres-replica.js';
import { freePort } from '../../support/services.js';

export type ServiceName = 'postgres' | 'redis';

/** A real server of this run's own, on a free port; what it holds outlives `stop` and `start`. */
export interface Service {
  readonly name: ServiceName;
  readonly url: string;
  readonly port: number;
  /** Resolves when the server says that it takes connections. */
  start(): Promise<void>;
  /** Ends it, and the connections to it. `crash`: without a word to anyone (SIGQUIT for PostgreSQL, SIGKILL for Redis). */
  stop(how?: 'calm' | 'crash'): Promise<void>;
  /** Ends it for good, and removes its data. */
  dispose(): Promise<void>;
}

export interface ServiceOptions {
  /** Whether what was acknowledged survives a crash of the server: `fsync`, or `appendonly` with `appendfsync always`. */
  readonly durable?: boolean;
  /** Whether PostgreSQL takes replicas. */
  readonly isReplicated?: boolean;
  /** How many databases Redis has. Default 16. */
  readonly databases?: number;
}

/** Starts one of them. Throws where it is not installed: a figure that was skipped is none. */
export function startService(name: ServiceName, options: ServiceOptions = {}): Promise<Service> {
  return name === 'postgres' ? startPostgres(options) : startRedis(options);
}

async function startPostgres({ durable = false, isReplicated = false }: ServiceOptions): Promise<Service> {
  const binaries = postgresBinaries();
  const directory = mkdtempSync(join(tmpdir(), 'postern-figures-'));
  // Root may not run it: then it runs as the user that its package made.
  const as = process.getuid?.() === 0 ? ['--reuid=postgres', '--regid=postgres', '--init-groups'] : [];
  if (as.length > 0) execFileSync('chown', ['postgres', directory]);
  const data = join(directory, 'data');
  const init = ['-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--no-sync'];
  execFileSync('setpriv', [...as, join(binaries, 'initdb'), ...init], { cwd: directory, stdio: 'pipe' });
  const port = await freePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: directory,
    fsync: durable ? 'on' : 'off',
    max_connections: 200,
    // Room for a million tokens without a checkpoint every few seconds, and for their indexes in memory.
    shared_buffers: '512MB',
    max_wal_size: '4GB',
    ...(isReplicated && REPLICATED),
  };
  return service({
    name: 'postgres',
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    directory,
    command: [
      ...['setpriv', ...as, '--pdeathsig=QUIT', join(binaries, 'postgres'), '-D', data, '-p', String(port)],
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ],
    ready: 'ready to accept connections',
    signals: { calm: 'SIGINT', crash: 'SIGQUIT' },
  });
}

async function startRedis({ durable = false, databases = 16 }: ServiceOptions): Promise<Service> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-figures-'));
  const port = await freePort();
  const settings = {
    bind: '127.0.0.1',
    port,
    dir: directory,
    databases,
    save: '',
    appendonly: durable ? 'yes' : 'no',
    appendfsync: 'always',
  };
  return service({
    name: 'redis',
    url: `redis://127.0.0.1:${port}`,
    port,
    directory,
    command: [
      ...['setpriv', '--pdeathsig=KILL', 'redis-server'],
      ...Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]),
    ],
    ready: 'Ready to accept connections',
    signals: { calm: 'SIGTERM', crash: 'SIGKILL' },
  });
}

interface Plan extends Pick<Service, 'name' | 'url' | 'port'> {
  readonly directory: string;
  readonly command: readonly string[];
  /** What its log says once it takes connections. */
  readonly ready: string;
  readonly signals: Readonly<Record<'calm' | 'crash', NodeJS.Signals>>;
}

async function service(plan: Plan): Promise<Service> {
  const { name, url, port, directory, ready, signals } = plan;
  const [program, ...parameters] = plan.command as [string, ...string[]];
  let server: ChildProcess | null = null;
  const start = async () => {
    const child = spawn(program, parameters, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    server = child;
    await says(child, ready, name);
  };
  const stop = async (how: 'calm' | 'crash' = 'calm') => {
    const child = server;
    server = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signals[how]);
    await ended;
  };
  const dispose = async () => {
    await stop('crash');
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return { name, url, port, start, stop, dispose };
}

/** Resolves when the log has these words; rejects with the log when the server ends instead. */
function says(child: ChildProcess, words: string, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${name} did not start:\n${log}`)));
    // Read to the end, so that the server never waits for a reader of its log.
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        log = (log + chunk).slice(-10_000);
        if (log.includes(words)) resolve();
      });
    }
  });
}

function postgresBinaries(): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(a) - Number(b)) : [];
  const found = versions
    .map((version) => join(root, version, 'bin'))
    .filter((path) => existsSync(join(path, 'initdb')));
  const last = found.at(-1);
  if (last === undefined) throw new Error('PostgreSQL is missing (/usr/lib/postgresql/*/bin): install postgresql');
  return last;
}
