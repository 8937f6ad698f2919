import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll } from 'vitest';
import { freePort } from './services.js';
import { requireTool } from './tools.js';

/** A Redis server for one test file. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Kills it (SIGKILL), as in a crash. */
  kill(): Promise<void>;
  /** Pauses its process: connections stay, and nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port with its data. */
  start(): Promise<void>;
}

const run = promisify(execFile);

/** Every write is synced, so acknowledged data survives a kill. */
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

/** Starts Redis on a free port for the calling test file, and ends it after the file's tests. */
export async function useRedis(settings: readonly string[] = DURABLE): Promise<RedisServer> {
  requireTool('Redis');
  return startServer(await freePort(), settings);
}

/** Starts a cluster of three masters without replicas, and returns their ports. */
export async function useRedisCluster(): Promise<readonly number[]> {
  requireTool('Redis');
  const servers: RedisServer[] = [];
  for (let node = 0; node < 3; node++) servers.push(await startNode());
  const ports = servers.map(({ port }) => port);
  const nodes = ports.map((port) => `127.0.0.1:${port}`);
  await run('redis-cli', ['--cluster', 'create', ...nodes, '--cluster-replicas', '0', '--cluster-yes']);
  for (const port of ports) {
    while (!(await redisCli(port, 'CLUSTER', 'INFO')).includes('cluster_state:ok'));
  }
  return ports;
}

/** A node of a cluster. Its bus is at its port + 10000. If that port is taken, another pair is tried. */
async function startNode(attempts = 10): Promise<RedisServer> {
  let port = await freePort();
  while (port > 55_000) port = await freePort();
  try {
    return await startServer(port, ['--save', '', '--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']);
  } catch (error) {
    if (attempts === 1 || !String(error).includes('Address already in use')) throw error;
    return startNode(attempts - 1);
  }
}

/** Sends a command over a plain connection, and returns the answer. */
export async function redisCli(port: number, ...args: string[]): Promise<string> {
  return (await run('redis-cli', ['-p', String(port), ...args])).stdout.trimEnd();
}

async function startServer(port: number, settings: readonly string[]): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-redis-'));
  let server: ChildProcess | null = null;

  const start = async () => {
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
    // The kernel ends it together with this process.
    const command = ['--pdeathsig=KILL', 'redis-server', ...place, ...settings];
    const child = spawn('setpriv', command, { stdio: ['ignore', 'pipe', 'inherit'] });
    await isReady(child);
    server = child;
  };
  const kill = async () => {
    const child = server;
    server = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  afterAll(async () => {
    await kill();
    rmSync(directory, { recursive: true, force: true });
  });
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    start,
    kill,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
  };
}

/** Resolves when the server takes connections, and rejects with its log if it ends. */
function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`Redis did not start:\n${log}`)));
    // The rest of the log is read too, so that the server never waits for a reader.
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      log = (log + chunk).slice(-10_000);
      if (log.includes('Ready to accept connections')) resolve();
    });
  });
}
