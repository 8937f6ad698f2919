import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { findPostgres, requireTool } from './tools.js';

/** A PostgreSQL server of the calling test file's own. */
export interface PostgresServer {
  readonly port: number;
  /** Of a database of the server: of the one that is there from the start, or of that name. */
  url(database?: string): string;
  /** Ends it; connections are cut. `immediate`: as in a crash. */
  stop(how?: 'fast' | 'immediate'): Promise<void>;
  /** Starts it again, on the same port, with what it held. */
  start(): Promise<void>;
}

/** Starts PostgreSQL for the calling test file, on a free port, and ends it after the file's tests. */
export async function usePostgres(): Promise<PostgresServer> {
  requireTool('PostgreSQL');
  const binaries = findPostgres() as string;
  const directory = mkdtempSync(join(tmpdir(), 'postern-postgres-'));
  // Root may not run it: then it runs as the user that its package made.
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
    // Ended by the kernel when this process is, however that ends.
    const command = [...as, '--pdeathsig=QUIT', join(binaries, 'postgres'), '-D', data, '-p', String(port)];
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: directory,
      fsync: 'off',
      max_connections: 200,
      // What no test is about, and takes a third of the server's time.
      autovacuum: 'off',
      full_page_writes: 'off',
      max_wal_senders: 0,
      wal_level: 'minimal',
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

/** Resolves when the server takes connections; rejects with its log when it ends instead. */
function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`PostgreSQL did not start:\n${log}`)));
    // Read to the end, so that the server never waits for a reader of its log.
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      log = (log + chunk).slice(-10_000);
      if (log.includes('ready to accept connections')) resolve();
    });
  });
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
