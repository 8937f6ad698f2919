import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { pipeline } from 'node:stream';
import { Client as Channel, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { generate } from 'selfsigned';
import { type Answer, type Call, type Client, TARGETS, type Terminal } from './attempts.js';

export const HOST = '127.0.0.1';
/** Another address of the loopback network stands for the inside of the cluster. */
export const INSIDE = '127.0.0.2';

export interface Ports {
  readonly express: number;
  readonly fastify: number;
  readonly grpc: number;
}

export async function createClients(
  { curl, python }: Machine,
  ports: Ports,
  certificate: string,
  script: string,
): Promise<readonly Client[]> {
  return [
    httpClient('Express', ports.express),
    httpClient('Fastify', ports.fastify),
    await grpcClient(ports.grpc, certificate),
    ...(curl ? [curlClient(ports.express)] : []),
    ...(python ? [pythonClient(python, script)] : []),
  ];
}

/** `node:http`: `fetch` would join two `Authorization` headers, and can't choose its own address. */
function httpClient(transport: string, port: number): Client {
  return {
    transport,
    protocol: 'http',
    async call({ tokens, target, inside }) {
      const { method, path, body } = TARGETS[target];
      const outgoing = request({
        ...{ host: HOST, port, method, path, agent: false },
        ...(inside && { localAddress: INSIDE }),
        headers: {
          ...(method === 'POST' && { 'Content-Type': 'application/json' }),
          // Each item of an array becomes a header of its own.
          ...(tokens.length > 0 && { Authorization: tokens.map((token) => `Bearer ${token}`) }),
        },
      });
      outgoing.end(method === 'POST' ? JSON.stringify(body) : undefined);
      const [response] = await once(outgoing, 'response');
      await once(response.resume(), 'end');
      return httpAnswer(String(response.statusCode));
    },
  };
}

/** The real curl. */
function curlClient(port: number): Client {
  return {
    transport: 'curl',
    protocol: 'http',
    slow: true,
    async call({ tokens, target, inside }) {
      const { method, path, body } = TARGETS[target];
      const { stdout } = await run('curl', [
        ...['--silent', '--noproxy', '*', '--max-time', '10', '--output', '/dev/null', '--write-out', '%{http_code}'],
        ...(inside ? ['--interface', INSIDE] : []),
        ...tokens.flatMap((token) => ['--header', `Authorization: Bearer ${token}`]),
        ...(method === 'POST' ? ['--header', 'Content-Type: application/json', '--data', JSON.stringify(body)] : []),
        `http://${HOST}:${port}${path}`,
      ]);
      return httpAnswer(stdout);
    },
  };
}

/** A key and a certificate of this machine. It is its own authority: a client that is given it trusts it. */
export function createCertificate(name = 'localhost') {
  const altNames = [{ type: 2, value: name } as const, { type: 7, ip: HOST } as const];
  return generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames },
    ],
  });
}

export type Certificate = Awaited<ReturnType<typeof createCertificate>>;

/** A grpc-js client over TLS that trusts the demo's certificate. */
async function grpcClient(port: number, certificate: string): Promise<Client> {
  const relay = await openRelay(port);
  const tls = credentials.createSsl(Buffer.from(certificate));
  const open = (to: number) =>
    new Channel(`${HOST}:${to}`, tls, {
      'grpc.enable_http_proxy': 0,
      // TLS asks for a server by name, and an address is no name (RFC 6066 section 3).
      'grpc.ssl_target_name_override': 'localhost',
    });
  const [outside, inside] = [open(port), open((relay.address() as AddressInfo).port)];
  return {
    transport: 'gRPC',
    protocol: 'grpc',
    call: (call) => send(call.inside ? inside : outside, call),
    close() {
      outside.close();
      inside.close();
      relay.close();
    },
  };
}

function send(channel: Channel, { tokens, target }: Call): Promise<Answer> {
  const { grpc, body } = TARGETS[target];
  const metadata = new Metadata();
  // Several as one comma list: Node's HTTP/2 keeps one of several headers only.
  if (tokens.length > 0) metadata.set('authorization', tokens.map((token) => `Bearer ${token}`).join(', '));
  return new Promise((resolve) => {
    channel.makeUnaryRequest(
      grpc,
      (value: object) => Buffer.from(JSON.stringify(value)),
      (bytes: Buffer) => JSON.parse(bytes.toString()),
      body,
      metadata,
      { deadline: Date.now() + 10_000 },
      (error: ServiceError | null) => resolve({ ok: error === null, status: status[error?.code ?? status.OK] }),
    );
  });
}

/** A way inside for grpc-js, which can't choose its own address: a connection to this port is passed on from inside. */
async function openRelay(port: number) {
  const relay = createServer((caller) => {
    const callee = connect({ host: HOST, port, localAddress: INSIDE });
    pipeline(caller, callee, caller, () => caller.destroy());
  });
  await once(relay.listen(0, HOST), 'listening');
  return relay;
}

/** A Python with grpcio, running `file` with the text of `pythonSource`. It sends one token at most, from outside. */
function pythonClient(python: string, file: string): Client {
  return {
    transport: 'python grpc',
    protocol: 'grpc',
    slow: true,
    async call({ tokens, target }) {
      const { code, stderr } = await run(python, [file, tokens[0] ?? '', TARGETS[target].grpc]);
      // A failure ends with `<STATUS>: <details>` on the error stream.
      return code === 0 ? { ok: true, status: 'OK' } : { ok: false, status: /^(\w+): /m.exec(stderr)?.[1] ?? stderr };
    },
  };
}

/**
 * A whole gRPC client that needs Debian's `python3-grpcio` alone: messages are JSON, so no code is generated.
 * `client.py [token] [method]` makes another call; an empty token sends none.
 */
export function pythonSource(token: string, port: number, authority: string): string {
  return `import json, sys
import grpc

token = sys.argv[1] if len(sys.argv) > 1 else '${token}'
method = sys.argv[2] if len(sys.argv) > 2 else '${TARGETS.summarizer.grpc}'

with open(${JSON.stringify(authority)}, 'rb') as file:
    credentials = grpc.ssl_channel_credentials(root_certificates=file.read())
if token:
    credentials = grpc.composite_channel_credentials(credentials, grpc.access_token_call_credentials(token))

with grpc.secure_channel('${HOST}:${port}', credentials) as channel:
    call = channel.unary_unary(
        method, request_serializer=lambda value: json.dumps(value).encode(), response_deserializer=json.loads)
    try:
        print(call(${JSON.stringify(TARGETS.summarizer.body)}, timeout=10))
    except grpc.RpcError as error:
        sys.exit(f'{error.code().name}: {error.details()}')
`;
}

/** Prints the same calls for a reader to paste, with real tokens and ports. */
export function printCommands(
  { line, note, paste }: Terminal,
  { user, developer }: { readonly user: string; readonly developer: string },
  ports: Ports,
  { python, script, authority }: { readonly python: string; readonly script: string; readonly authority: string },
): void {
  const [toExpress, toFastify] = [`"http://${HOST}:${ports.express}`, `"http://${HOST}:${ports.fastify}`];
  const { summarizer, metrics, 'read models': read, 'write models': write } = TARGETS;
  const json = '-H "Content-Type: application/json"';
  const bearer = (token: string) => `-H "Authorization: Bearer ${token}"`;

  line('The user token reaches the summarizer:');
  paste(`curl -i ${toExpress}${summarizer.path}" ${json} \\`);
  paste(`  ${bearer(user)} --data '${JSON.stringify(summarizer.body)}'`);
  line('\nThe developer token adds a model and, as models:write includes models:read, lists them:');
  paste(`curl -i ${toFastify}${write.path}" ${json} \\`);
  paste(`  ${bearer(developer)} --data '${JSON.stringify(write.body)}'`);
  paste(`curl -i ${toFastify}${read.path}" ${bearer(developer)}`);
  line('\nThe metrics, from outside and from inside the cluster:');
  paste(`curl -i ${toExpress}${metrics.path}"`);
  paste(`curl -i --interface ${INSIDE} ${toExpress}${metrics.path}"`);
  line('\nThe summarizer over gRPC, in Python:');
  paste(`${python} - <<'PYTHON'`);
  paste(pythonSource(user, ports.grpc, authority).trimEnd());
  paste('PYTHON');
  line('\nThe same client is a file. It takes another token and another method:');
  paste(`${python} ${script}`);
  paste(`${python} ${script} "${developer}" ${read.grpc}`);
  note('Without a token ("" in its place), or with another one, each tells you what is missing.');
}

export type Machine = Awaited<ReturnType<typeof lookAround>>;

/** The programs and addresses that this machine has, and a sentence for each that is missing. */
export async function lookAround() {
  // Only Debian's own Python sees Debian's package.
  const hasGrpc = async (python: string) => (await run(python, ['-c', 'import grpc'])).code === 0;
  const python = (await hasGrpc('/usr/bin/python3'))
    ? '/usr/bin/python3'
    : (await hasGrpc('python3'))
      ? 'python3'
      : null;
  const curl = (await run('curl', ['--version'])).code === 0;
  const inside = await hasAddress(INSIDE);
  const missing = [
    !curl && 'curl is not on this machine: its attempts are left out (apt-get install curl).',
    !python && 'Python has no grpcio here: its attempts are left out (apt-get install python3-grpcio).',
    !inside &&
      `${INSIDE} is no address of this machine: the attempts from inside are left out (on macOS: sudo ifconfig lo0 alias ${INSIDE}).`,
  ].filter((sentence) => sentence !== false);
  return { python, curl, inside, missing };
}

export async function hasAddress(host: string): Promise<boolean> {
  const server = createServer();
  return once(server.listen(0, host), 'listening').then(
    () => {
      server.close();
      return true;
    },
    () => false,
  );
}

export function httpAnswer(code: string): Answer {
  return { ok: code.startsWith('2'), status: code };
}

/** Runs a program to its end; a missing one ends with code 127. */
export function run(program: string, args: readonly string[]) {
  const env = { ...process.env, no_proxy: '*', no_grpc_proxy: '127.0.0.1,localhost' };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(program, args, { env, timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 127;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.end();
  });
}
