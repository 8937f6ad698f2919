import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { findPostgres, requireTool } from './tools.js';

/** A PostgreSQL server for one test file. */
export interface PostgresServer {
  readonly port: number;
  /** The URL of a database of the server. The default is the one that exists from the start. */
  url(database?: string): string;
  /** Stops it and cuts its connections. `immediate` is like a crash. */
  stop(how?: 'fast' | 'immediate'): Promise<void>;
  /** Starts it again on the same port with its data. */
  start(): Promise<void>;
}

/**
 * Starts PostgreSQL on a free port for the calling test file, and ends it after the file's tests.
 *
 * @param more settings beside those of all tests
 */
export async function usePostgres(more: Readonly<Record<string, string | number>> = {}): Promise<PostgresServer> {
  requireTool('PostgreSQL');
  const binaries = findPostgres() as string;
  const directory = mkdtempSync(join(tmpdir(), 'postern-postgres-'));
  // PostgreSQL refuses to run as root, so the user of its package runs it.
  const as = process.getuid?.() === 0 ? ['--reuid=postgres', '--regid=postgres', '--init-groups'] : [];
  if (as.length > 0) execFileSync('chown', ['postgres', directory]);
  else chmodSync(directory, 0o700);
  const data = join(directory, 'data');
  execFileSync(
    'setpriv',
    [
      ...as,
      join(binaries, 'initdb'),
      '-D',
      data,
      '-A',
      'trust',
      '-U',
      'postgres',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { cwd: directory, stdio: 'pipe' },
  );
  const port = await freePort();
  let server: ChildProcess | null = null;

  const start = async () => {
    // The kernel ends it together with this process.
    const command = [...as, '--pdeathsig=QUIT', join(binaries, 'postgres'), '-D', data, '-p', String(port)];
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: directory,
      fsync: 'off',
      max_connections: 200,
      // No test needs these, and they take a third of the server's time.
      autovacuum: 'off',
      full_page_writes: 'off',
      max_wal_senders: 0,
      wal_level: 'minimal',
      ...more,
    };
    for (const [name, value] of Object.entries(settings)) command.push('-c', `${name}=${value}`);
    const child = spawn('setpriv', command, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
    await isReady(child);
    server = child;
  };
  const stop = async (how: 'fast' | 'immediate' = 'fast') => {
    const child = server;
    server = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
  };
  afterAll(async () => {
    await stop('immediate');
    rmSync(directory, { recursive: true, force: true });
  });
  await start();
  return { port, url: (database = 'postgres') => `postgres://postgres@127.0.0.1:${port}/${database}`, start, stop };
}

/** Resolves when the server takes connections, and rejects with its log if it ends. */
export function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`PostgreSQL did not start:\n${log}`)));
    // The rest of the log is read too, so that the server never waits for a reader.
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      log = (log + chunk).slice(-10_000);
      if (/ready to accept (read-only )?connections/.test(log)) resolve();
    });
  });
}

/** A free port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
