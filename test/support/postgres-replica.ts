import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { freePort, isReady } from './services.js';
import { findPostgres } from './tools.js';

/** What a primary needs for a replica. */
export const REPLICATED = { wal_level: 'replica', max_wal_senders: 5 } as const;

/** A streaming replica of a PostgreSQL server. */
export interface PostgresReplica {
  readonly port: number;
  url(database?: string): string;
  /** It applies each commit so much later. Milliseconds. */
  delay(milliseconds: number): Promise<void>;
  /** It applies nothing more, until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** It becomes a primary of its own. */
  promote(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it, and removes its data. */
  dispose(): Promise<void>;
}

/** Copies a server that runs with {@link REPLICATED}, and follows it. */
export async function startReplica(primary: { readonly port: number }): Promise<PostgresReplica> {
  // The programs may be linked from elsewhere, and then not all of them.
  const binaries = dirname(realpathSync(join(findPostgres() as string, 'postgres')));
  const directory = mkdtempSync(join(tmpdir(), 'postern-replica-'));
  // PostgreSQL refuses to run as root, so the user of its package runs it.
  const as = process.getuid?.() === 0 ? ['--reuid=postgres', '--regid=postgres', '--init-groups'] : [];
  if (as.length > 0) execFileSync('chown', ['postgres', directory]);
  else chmodSync(directory, 0o700);
  const data = join(directory, 'data');
  const from = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', 'postgres'];
  const how = ['-D', data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync'];
  const copy = [...as, join(binaries, 'pg_basebackup'), ...from, ...how];
  execFileSync('setpriv', copy, { cwd: directory, stdio: 'pipe' });
  const port = await freePort();
  const url = (database = 'postgres') => `postgres://postgres@127.0.0.1:${port}/${database}`;
  let server: ChildProcess | null = null;

  const run = async (...statements: string[]) => {
    const client = new pg.Client(url());
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const start = async () => {
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: directory,
      fsync: 'off',
      // Not fewer than the primary has.
      max_connections: 200,
      wal_retrieve_retry_interval: '100ms',
      // Replay waits for statements. Otherwise it ends those that see rows which the primary has cleaned up.
      max_standby_streaming_delay: -1,
    };
    // The kernel ends it together with this process.
    const command = [...as, '--pdeathsig=QUIT', join(binaries, 'postgres'), '-D', data, '-p', String(port)];
    for (const [name, value] of Object.entries(settings)) command.push('-c', `${name}=${value}`);
    const child = spawn('setpriv', command, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
    await isReady(child);
    server = child;
  };
  const stop = async () => {
    const child = server;
    server = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGQUIT');
    await ended;
  };
  await start();
  return {
    port,
    url,
    delay: (milliseconds) =>
      run(`ALTER SYSTEM SET recovery_min_apply_delay = '${milliseconds}ms'`, 'SELECT pg_reload_conf()'),
    pause: () => run('SELECT pg_wal_replay_pause()'),
    resume: () => run('SELECT pg_wal_replay_resume()'),
    promote: () => run('SELECT pg_promote()'),
    start,
    stop,
    async dispose() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
