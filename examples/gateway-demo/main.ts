/**
 * The tutorial of API tokens for services that know nothing of postern: nginx in front of a Python HTTP server and a Python gRPC
 * server, three deployments by host name, and the outcome of each call. `npm run demo:gateway -- --help` lists the options.
 * `programs.ts` starts nginx, the services and the clients; the table is that of examples/demo.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPostern, type IssuedToken, memoryStore, type Postern } from 'postern';
import { createGateway, endpointFromHost, toNodeHandler } from 'postern/gateway';
import { generateKeys } from 'postern/jwt';
import { internalNetworks } from 'postern/zones';
import { stillMissing } from '../../test/support/install.js';
import { howToGet, PYTHON, TOOLS } from '../../test/support/tools.js';
import {
  type Attempt,
  createTerminal,
  type Expected,
  runSteps,
  type Step,
  type Target,
  type Told,
} from '../demo/attempts.js';
import { createCertificate, HOST, hasAddress, INSIDE, run } from '../demo/clients.js';
import * as programs from './programs.js';

const HELP = `npm run demo:gateway -- [options]

Makes the calls of the tutorial through nginx, which then stays up for you to try, until Ctrl-C.

  --once    end after the attempts: 0 when every outcome was the expected one, else 1
  --help    show this
`;

const ENDPOINTS = [
  { id: 'summarizer', access: 'protected' },
  { id: 'status', access: 'public' },
  { id: 'metrics', access: 'private' },
] as const;

const terminal = createTerminal(process.stdout);
const { heading, line, note, paint, paste } = terminal;
const stop = new AbortController();
const closers: programs.Closers = [];

async function demo(ends: boolean): Promise<number> {
  const needed = TOOLS.filter(({ name }) => ['nginx', 'curl', 'gRPC for Python'].includes(name));
  const missing = stillMissing(needed, 'npm run demo:gateway');
  for (const tool of missing) process.stderr.write(`${tool.name} is missing: ${howToGet(tool)}\n`);
  if (missing.length > 0) return 1;

  heading('1. Deployments and tokens of mybentocloud');
  const told: Told = { reason: null };
  const live = { on: false };
  const postern = createPostern({
    store: memoryStore(),
    organization: 'mybentocloud',
    onEvent: (event) => {
      if (event.type !== 'decision') return;
      if (!event.allowed) told.reason ??= event.reason;
      if (live.on) line(`${event.at.toISOString()}  ${event.allowed ? 'allowed' : `denied   ${event.reason}`}`);
    },
  });
  closers.push(() => postern.close());
  for (const { id, access } of ENDPOINTS) {
    await postern.endpoints.create({ id, access });
    line(`  ${id.padEnd(10)}  ${paint('yellow', access.padEnd(9))}  http://${id}.${programs.DOMAIN}`);
  }
  const tokens = await createTokens(postern);
  for (const { record, token } of Object.values(tokens)) line(`  ${record.name.padEnd(10)}  ${paint('cyan', token)}`);

  heading('2. Servers');
  const folder = await mkdtemp(join(tmpdir(), 'postern-demo-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const certificate = join(folder, 'ca.pem');
  const pair = await createCertificate(`*.${programs.DOMAIN}`);
  await writeFile(certificate, pair.cert);
  await writeFile(join(folder, 'key.pem'), pair.private, { mode: 0o600 });
  const ports = {
    gateway: await startGateway(postern),
    httpService: await programs.startService('http_service.py', closers),
    grpcService: await programs.startService('grpc_service.py', closers),
  };
  const nginx = await programs.startNginx(folder, ports, closers);
  line(`  nginx     http://${HOST}:${nginx.http}, and gRPC over TLS at ${HOST}:${nginx.grpc}`);
  line(`  services  ${HOST}:${ports.httpService} (HTTP), ${HOST}:${ports.grpcService} (gRPC), both in Python`);
  line(`  gateway   http://${HOST}:${ports.gateway}`);

  heading('3. To try it yourself');
  const { token } = tokens.user;
  const python = programs.grpcArguments(nginx.grpc, certificate, 'summarizer', '/bento.Summarizer/Summarize', token);
  paste(['curl', ...programs.curlArguments(nginx.http, 'summarizer', token)].map(quoted).join(' '));
  paste([PYTHON, ...python].map(quoted).join(' '));
  note('The service behind got of the first one, beside the caller’s other headers:');
  const { stdout } = await run('curl', ['--silent', ...programs.curlArguments(nginx.http, 'summarizer', token)]);
  const got = new Headers(JSON.parse(stdout).headers);
  for (const name of ['X-Postern-Owner', 'X-Postern-Organization', 'Postern-Identity', 'Authorization']) {
    line(`  ${name}: ${got.get(name)?.replace(/^(.{40}).+/, '$1…') ?? '(none: it needs no token)'}`);
  }

  heading('4. Attempts');
  const open = programs.openStream(nginx.grpc, certificate, tokens.notebook.token, closers);
  const answered = [await open.ask('before')];
  const clients = [programs.curlClient(nginx.http), programs.pythonClient(nginx.grpc, certificate)];
  const unexpected = await runSteps(
    stepsOf(postern, tokens, await hasAddress(INSIDE)),
    clients,
    told,
    terminal,
    stop.signal,
  );
  answered.push(await open.ask('after'));
  line(
    `The stream that was open: answered before the revocation ${yesNo(answered[0])}, and after it ${yesNo(answered[1])}.`,
  );
  note('A gateway decides when a call begins. A guard inside the service ends streams, too.');
  const isRight = unexpected === 0 && answered.every(Boolean);
  if (ends) return isRight ? 0 : 1;

  heading('5. Your turn');
  line('The commands of part 3 work, and each decision shows here. Ctrl-C ends it.');
  live.on = true;
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  return 0;
}

async function createTokens({ tokens }: Postern) {
  const summarizer = { user: { endpoints: ['summarizer'] } };
  return {
    user: await tokens.create({ name: 'chat-app', owner: 'user', types: summarizer }),
    notebook: await tokens.create({ name: 'notebook', owner: 'user', types: summarizer }),
    developer: await tokens.create({ name: 'ci', owner: 'user', types: { developer: { scopes: ['models:write'] } } }),
  };
}

/** Answers nginx: all that stands between postern and the services. */
async function startGateway(postern: Postern): Promise<number> {
  const gateway = createGateway(postern, {
    requirement: endpointFromHost('{endpoint}.{organization}.cloud.example.com'),
    trustedProxies: [HOST],
    callFrom: 'forwarded',
    zone: internalNetworks([INSIDE]),
    hop: { issuer: 'https://auth.example.com', keys: await generateKeys() },
  });
  const server = createServer(
    toNodeHandler((request, asker) =>
      new URL(request.url).pathname === '/denied' ? gateway.denied(request, asker) : gateway.fetch(request, asker),
    ),
  );
  await once(server.listen(0, HOST), 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The calls of the tutorial, and those after a revocation. Without `canBeInside` the one from inside is left out. */
function stepsOf(
  { tokens }: Postern,
  { user, notebook, developer }: Readonly<Record<'user' | 'notebook' | 'developer', IssuedToken>>,
  canBeInside: boolean,
): readonly Step[] {
  const call = (who: string, ...sent: string[]) => {
    return (target: Target, expected: Expected): Attempt => ({ who, tokens: sent, target, expected, everywhere: true });
  };
  const userToken = call('user token', user.token);
  const notebookToken = call('notebook token', notebook.token);
  const nobody = call('no token');
  // The Python client can't choose its own address.
  const inside = { ...call('no token, inside')('metrics', 'allowed'), inside: true, everywhere: false };
  return [
    {
      title: 'as registered: summarizer protected, status public, metrics private',
      attempts: [
        userToken('summarizer', 'allowed'),
        notebookToken('summarizer', 'allowed'),
        nobody('summarizer', 'token_missing'),
        call('wrong token', `${user.token}x`)('summarizer', 'token_unknown'),
        call('developer token', developer.token)('summarizer', 'endpoint_not_granted'),
        nobody('status', 'allowed'),
        nobody('metrics', 'endpoint_private'),
        userToken('metrics', 'endpoint_private'),
        ...(canBeInside ? [inside] : []),
        userToken('translator', 'endpoint_unknown'),
      ],
    },
    {
      title: 'the notebook token is revoked, while a stream of it is open',
      change: () => tokens.revoke(notebook.record.id),
      attempts: [notebookToken('summarizer', 'token_revoked'), userToken('summarizer', 'allowed')],
    },
  ];
}

function yesNo(is: boolean | undefined): string {
  return is ? paint('green', 'yes') : paint('red', 'no');
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w./:=-]+$/.test(text) ? text : `'${text}'`;
}

async function main(): Promise<number> {
  let options: { once?: boolean; help?: boolean };
  try {
    options = parseArgs({ options: { once: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort());
  try {
    return await demo(options.once ?? false);
  } catch (error) {
    if (stop.signal.aborted) return 130;
    process.stderr.write(`${(error as Error).stack}\n`);
    return 1;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

process.exitCode = await main();
