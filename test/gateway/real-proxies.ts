import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Gateway, toNodeHandler } from 'postern/gateway';
import { findProxy, inPath, PYTHON, requireTool } from '../support/tools.js';
import { envoyClient } from './envoy-client.js';

const EXAMPLES = fileURLToPath(new URL('../../examples/gateways', import.meta.url));
const GRPC_CALLER = fileURLToPath(new URL('grpc_caller.py', import.meta.url));
const GRPC_UPSTREAM = fileURLToPath(new URL('grpc_upstream.py', import.meta.url));
const UPSTREAM_EXAMPLES = fileURLToPath(new URL('../../examples/upstream', import.meta.url));
const UPSTREAM = fileURLToPath(new URL('upstream.py', import.meta.url));

interface Program {
  /** The program: its name in PATH, or its path. */
  readonly command: string;
  readonly args: readonly string[];
  /** Checks the ready file. */
  readonly lint: readonly string[];
  /** Whether it asks over gRPC. */
  readonly grpc?: true;
}

/** Each proxy with its ready file in examples/gateways. */
export const PROXIES = {
  nginx: {
    command: 'nginx',
    args: ['-p', '.', '-c', 'nginx.conf', '-g', 'daemon off;'],
    lint: ['-t', '-p', '.', '-c', 'nginx.conf'],
  },
  caddy: {
    command: 'caddy',
    args: ['run', '--config', 'Caddyfile', '--adapter', 'caddyfile'],
    lint: ['validate', '--config', 'Caddyfile', '--adapter', 'caddyfile'],
  },
  haproxy: { command: 'haproxy', args: ['-db', '-f', 'haproxy.cfg'], lint: ['-c', '-f', 'haproxy.cfg'] },
  envoy: {
    command: findProxy('envoy') ?? 'envoy',
    args: ['-c', 'envoy.yaml', '--disable-hot-restart', '-l', 'error'],
    lint: ['--mode', 'validate', '-c', 'envoy.yaml'],
    grpc: true,
  },
  traefik: {
    command: findProxy('traefik') ?? 'traefik',
    args: ['--configFile=traefik.yaml'],
    lint: ['version'],
  },
} as const satisfies Readonly<Record<string, Program>>;

export type ProxyName = keyof typeof PROXIES;

export function isThere(name: ProxyName): boolean {
  const { command } = PROXIES[name];
  return command.includes('/') || inPath(command);
}

const DEBIAN: readonly ProxyName[] = ['nginx', 'caddy', 'haproxy'];

/** The proxies to test. A missing one of Debian's fails; the others are left out, and named at the end of `npm test`. */
export function there(): ProxyName[] {
  return (Object.keys(PROXIES) as ProxyName[]).filter((name) => DEBIAN.includes(name) || isThere(name));
}

/** Throws with the way to get it if a proxy of Debian's is missing. */
export function requireProxy(name: ProxyName): void {
  if (DEBIAN.includes(name)) requireTool(name);
}

/** Ends all that it was given, the last first. */
export class Endings {
  readonly #all: (() => unknown)[] = [];
  add(end: () => unknown): void {
    this.#all.push(end);
  }
  async run(): Promise<void> {
    for (const end of this.#all.reverse()) await end();
  }
}

/** A Python service that tells what it got. Returns its port. */
export async function startUpstream(endings: Endings): Promise<number> {
  const child = spawn(PYTHON, [UPSTREAM], { stdio: ['pipe', 'pipe', 'inherit'] });
  endings.add(() => ended(child));
  return new Promise((resolve) => child.stdout.once('data', (text) => resolve(Number(text))));
}

/** The same over gRPC. @param options the folder of the examples, and what the hop's verifier needs; left out: no hop is needed */
export async function startGrpcUpstream(endings: Endings, options: object = {}): Promise<number> {
  const given = JSON.stringify({ examples: UPSTREAM_EXAMPLES, ...options });
  const child = spawn(PYTHON, [GRPC_UPSTREAM, given], { stdio: ['ignore', 'pipe', 'inherit'] });
  endings.add(() => child.kill('SIGKILL'));
  return new Promise((resolve) => child.stdout.once('data', (text) => resolve(Number(text))));
}

/** The gateway on two ports of 127.0.0.1. */
export async function serveGateway(gateway: Gateway, endings: Endings): Promise<{ http: number; grpc: number }> {
  const [answer, denied] = [toNodeHandler(gateway.fetch), toNodeHandler(gateway.denied)];
  const server = createServer((request, response) =>
    (/^\/denied(?:\?|$)/.test(request.url ?? '') ? denied : answer)(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.add(() => {
    server.closeAllConnections();
    server.close();
  });
  const envoy = await envoyClient(gateway.envoy);
  endings.add(() => envoy.close());
  return { http: (server.address() as AddressInfo).port, grpc: envoy.port };
}

export interface Ports {
  /** Of the gateway, over HTTP and over gRPC. */
  readonly gateway: number;
  readonly grpcGateway: number;
  /** Of the services behind. */
  readonly service: number;
  readonly grpcService?: number;
}

/** A proxy with its ready file, but for the ports. */
export async function startProxy(
  name: ProxyName,
  { gateway, grpcGateway, service, grpcService = 1 }: Ports,
  endings: Endings,
  change: (text: string) => string = (text) => text,
): Promise<{ port: number; grpcPort: number }> {
  const folder = await mkdtemp(join(tmpdir(), `postern-${name}-`));
  endings.add(() => rm(folder, { recursive: true, force: true }));
  await cp(EXAMPLES, folder, { recursive: true });
  const [port, grpcPort] = [await freePort(), await freePort()];
  const swap: Readonly<Record<string, number>> = {
    8080: port,
    8081: grpcPort,
    4180: gateway,
    4181: grpcGateway,
    3000: service,
    3001: grpcService,
  };
  for (const { name: file } of (await readdir(folder, { withFileTypes: true })).filter((each) => each.isFile())) {
    const text = await readFile(join(folder, file), 'utf8');
    await writeFile(
      join(folder, file),
      change(text.replace(/\b(8080|8081|4180|4181|3000|3001)\b/g, (each) => String(swap[each]))),
    );
  }
  const { command, args } = PROXIES[name];
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (text) => {
    errors = `${errors}${text}`.slice(-4_000);
  });
  endings.add(() => ended(child));
  for (let i = 0; !(await isReady(port)); i++) {
    if (child.exitCode !== null || i > 600) throw new Error(`${name} does not listen: ${errors}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { port, grpcPort: name === 'envoy' ? port : grpcPort };
}

export function lint(name: ProxyName): Promise<{ code: number | null; output: string }> {
  const { command, lint } = PROXIES[name];
  return run(command, lint, EXAMPLES);
}

export interface CurlAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A call by the real curl; several with `--next` share a connection. */
export async function curl(port: number, host: string, path: string, ...args: readonly string[]): Promise<CurlAnswer> {
  const url = `http://127.0.0.1:${port}${path}`;
  const all = ['-s', '-i', '--path-as-is', '-H', `Host: ${host}`, '-H', 'Expect:', ...args, url];
  const { output } = await run('curl', all, EXAMPLES);
  return answersIn(output).at(-1) as CurlAnswer;
}

/** The answers in the output of `curl -i`. */
export function answersIn(output: string): CurlAnswer[] {
  return output.split(/(?=^HTTP\/[\d.]+ \d{3})/m).map((text) => {
    const end = text.indexOf('\r\n\r\n');
    const [first = '', ...lines] = text.slice(0, end).split('\r\n');
    const headers = lines.map((line) => [
      line.split(':', 1)[0]?.toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]);
    return {
      status: Number(first.split(' ')[1] ?? 0),
      headers: Object.fromEntries(headers),
      body: text.slice(end + 4),
    };
  });
}

export const HOST = 'summarizer.acme.cloud.example.com';

/** A gRPC call by the real client of Python. */
export interface GrpcCall {
  /** Default: that of `summarizer`. */
  readonly host?: string;
  readonly path?: string;
  readonly metadata?: readonly (readonly [string, string])[];
  /** Bytes of the message. Default 1. */
  readonly size?: number;
}

export type GrpcOutcome = readonly [
  code: string,
  details: string,
  answers: number,
  /** What the service got, with `:size` for the bytes of the message. */
  metadata: readonly (readonly [string, string])[],
];

/** All at once, on one connection for each host. */
export async function grpcCalls(port: number, ...calls: readonly GrpcCall[]): Promise<GrpcOutcome[]> {
  const all = calls.map((each) => ({
    host: HOST,
    path: '/bento.Summarizer/Summarize',
    metadata: [],
    size: 1,
    ...each,
  }));
  const { output } = await run(PYTHON, [GRPC_CALLER, JSON.stringify({ port, calls: all })], EXAMPLES);
  // gRPC may have written lines of its own before.
  return JSON.parse(output.trimEnd().split('\n').at(-1) as string);
}

export function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

async function freePort(): Promise<number> {
  const server = createSocketServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Traefik listens before it knows its routes. */
async function isReady(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual', signal: AbortSignal.timeout(5_000) });
    return (await answer.text()) !== '404 page not found\n';
  } catch (error) {
    // Anything else that fails is an answer, or the lack of one.
    return (error as { cause?: { code?: string } }).cause?.code !== 'ECONNREFUSED';
  }
}

function ended(child: ChildProcess): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  const over = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 3_000);
  return over.finally(() => clearTimeout(late));
}
