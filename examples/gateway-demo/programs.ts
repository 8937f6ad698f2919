/** The programs of the demonstration: nginx, the two services, and the clients. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NGINX, PYTHON } from '../../test/support/tools.js';
import { type Client, TARGETS } from '../demo/attempts.js';
import { HOST, httpAnswer, INSIDE, run } from '../demo/clients.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const READY = fileURLToPath(new URL('../gateways', import.meta.url));
export const DOMAIN = 'mybentocloud.cloud.example.com';
export const CLIENT = join(HERE, 'grpc_client.py');

/** Ctrl-C is for the demonstration alone. It ends the others. */
const OWN_GROUP = { detached: true } as const;

/** Run at the end, the latest first. */
export type Closers = (() => unknown)[];

/** Starts a Python service. Resolves with its port. */
export async function startService(file: string, closers: Closers): Promise<number> {
  const child = spawn(PYTHON, [join(HERE, file)], { ...OWN_GROUP, stdio: ['ignore', 'pipe', 'inherit'] });
  closers.push(() => ended(child));
  const [port] = await once(createInterface(child.stdout), 'line');
  return Number(port);
}

export interface Ports {
  readonly gateway: number;
  readonly httpService: number;
  readonly grpcService: number;
}

/** Starts nginx with the ready file of examples/gateways, but for the ports, and TLS for gRPC. `ca.pem` and `key.pem` are in the folder. */
export async function startNginx(folder: string, { gateway, httpService, grpcService }: Ports, closers: Closers) {
  const [http, grpc] = [await freePort(), await freePort()];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`);
  const tls = 'ssl_certificate ca.pem; ssl_certificate_key key.pem;';
  await cp(join(READY, 'postern-question.conf'), join(folder, 'postern-question.conf'));
  const ready = await readFile(join(READY, 'nginx.conf'), 'utf8');
  const text = ready
    .replace('worker_processes auto;', 'worker_processes 1;')
    // It notes each refusal as an error.
    .replace('error_log stderr warn;', 'error_log stderr crit;')
    .replace('access_log off;', `access_log off;\n  ${temporary.join(' ')}`)
    .replace('listen 8080;', `listen ${HOST}:${http};`)
    .replace('listen 8081 http2;', `listen ${HOST}:${grpc} ssl http2; ${tls}`)
    .replace('127.0.0.1:4180', `${HOST}:${gateway}`)
    .replace('127.0.0.1:3000', `${HOST}:${httpService}`)
    .replace('127.0.0.1:3001', `${HOST}:${grpcService}`);
  await writeFile(join(folder, 'nginx.conf'), text);
  const program = existsSync(NGINX) ? NGINX : 'nginx';
  const child = spawn(program, ['-e', 'stderr', '-p', folder, '-c', 'nginx.conf', '-g', 'daemon off;'], {
    ...OWN_GROUP,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  closers.push(() => ended(child));
  while (!(await listens(grpc))) {
    if (child.exitCode !== null) throw new Error('nginx did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { http, grpc };
}

/** The curl of the tutorial. `--connect-to` stands for DNS. */
export function curlArguments(port: number, target: string, token: string | undefined): string[] {
  return [
    ...['--connect-to', `::${HOST}:${port}`, `http://${target}.${DOMAIN}`],
    ...[
      '-H',
      'Content-Type: application/json',
      ...(token === undefined ? [] : ['-H', `Authorization: Bearer ${token}`]),
    ],
    ...['--data', JSON.stringify(TARGETS.summarizer.body)],
  ];
}

export function curlClient(port: number): Client {
  return {
    transport: 'curl',
    protocol: 'http',
    async call({ tokens, target, inside }) {
      const { stdout } = await run('curl', [
        ...['--silent', '--noproxy', '*', '--max-time', '10', '--output', '/dev/null', '--write-out', '%{http_code}'],
        ...(inside ? ['--interface', INSIDE] : []),
        ...curlArguments(port, target, tokens[0]),
      ]);
      return httpAnswer(stdout);
    },
  };
}

export function grpcArguments(port: number, certificate: string, target: string, method: string, token = ''): string[] {
  const all = [CLIENT, `${HOST}:${port}`, certificate, `${target}.${DOMAIN}`, method];
  return token === '' ? all : [...all, token];
}

/** The Python client of the tutorial. */
export function pythonClient(port: number, certificate: string): Client {
  return {
    transport: 'python grpc',
    protocol: 'grpc',
    slow: true,
    async call({ tokens, target }) {
      const { grpc } = TARGETS[target];
      const { code, stderr } = await run(PYTHON, grpcArguments(port, certificate, target, grpc, tokens[0]));
      return code === 0 ? { ok: true, status: 'OK' } : { ok: false, status: /^(\w+): /m.exec(stderr)?.[1] ?? stderr };
    },
  };
}

/** An open stream of the Python client. */
export function openStream(port: number, certificate: string, token: string, closers: Closers) {
  const args = grpcArguments(port, certificate, 'summarizer', '/bento.Summarizer/Chat', token);
  const child = spawn(PYTHON, args, { ...OWN_GROUP, stdio: ['pipe', 'pipe', 'inherit'] });
  closers.push(() => ended(child));
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    /** Whether the service answers this message of the stream. */
    async ask(prompt: string): Promise<boolean> {
      child.stdin.write(`${prompt}\n`);
      const { value } = await answers.next();
      return value !== undefined && JSON.parse(value).got.prompt === prompt;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, HOST);
  return once(socket, 'connect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}

function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  child.kill();
  return once(child, 'close');
}
