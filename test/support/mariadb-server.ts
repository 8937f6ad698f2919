import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { freePort } from './services.js';
import { MYSQLD, requireTool } from './tools.js';

/** A server of MariaDB, or of MySQL where `POSTERN_MYSQLD` names its program, for one test file. */
export interface MariadbServer {
  readonly port: number;
  /** The URI of a database of the server. */
  uri(database: string): string;
  /** Stops it and cuts its connections. `kill` is like a crash. */
  stop(how?: 'fast' | 'kill'): Promise<void>;
  /** Starts it again on the same port with its data. */
  start(): Promise<void>;
}

/** Starts the server on a free port for the calling test file, and ends it after the file's tests. */
export async function useMariadb(): Promise<MariadbServer> {
  requireTool('MariaDB');
  const directory = mkdtempSync(join(tmpdir(), 'postern-mariadb-'));
  // It refuses to run as root, so the user of its package runs it.
  const as = process.getuid?.() === 0 ? ['--reuid=mysql', '--regid=mysql', '--init-groups'] : [];
  if (as.length > 0) execFileSync('chown', ['mysql', directory]);
  else chmodSync(directory, 0o700);
  const data = join(directory, 'data');
  const made = ['--no-defaults', `--datadir=${data}`];
  const [make, program, own] =
    MYSQLD === undefined
      ? [['mariadb-install-db', ...made, '--auth-root-authentication-method=normal', '--skip-test-db'], 'mariadbd', []]
      : [
          [MYSQLD, ...made, '--initialize-insecure'],
          MYSQLD,
          ['--mysqlx=OFF', '--performance-schema=OFF', '--secure-file-priv=NULL'],
        ];
  execFileSync('setpriv', [...as, ...make], { cwd: directory, stdio: 'pipe' });
  const port = await freePort();
  let server: ChildProcess | null = null;

  const start = async () => {
    const settings = [
      `--datadir=${data}`,
      `--port=${port}`,
      `--socket=${join(directory, 'socket')}`,
      `--pid-file=${join(directory, 'pid')}`,
      // A server that starts removes the temporary tables in its folder, also those of another server.
      `--tmpdir=${directory}`,
      '--bind-address=127.0.0.1',
      // A confirmed change survives the end of the process, not that of the machine.
      '--innodb-flush-log-at-trx-commit=2',
      '--innodb-buffer-pool-size=32M',
      '--max-connections=300',
      ...own,
    ];
    // The kernel ends it together with this process.
    const command = [...as, '--pdeathsig=KILL', program, '--no-defaults', ...settings];
    const child = spawn('setpriv', command, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
    await isReady(child);
    server = child;
  };
  const stop = async (how: 'fast' | 'kill' = 'fast') => {
    const child = server;
    server = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(how === 'fast' ? 'SIGTERM' : 'SIGKILL');
    await ended;
  };
  afterAll(async () => {
    await stop('kill');
    rmSync(directory, { recursive: true, force: true });
  });
  await start();
  return { port, uri: (database) => `mysql://root@127.0.0.1:${port}/${database}`, start, stop };
}

/** Resolves when the server takes connections, and rejects with its log if it ends. */
function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`The server did not start:\n${log}`)));
    // The rest of the log is read too, so that the server never waits for a reader.
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      log = (log + chunk).slice(-10_000);
      if (log.includes('ready for connections')) resolve();
    });
  });
}
