/**
 * The tutorial of API tokens on this machine: three deployments, three tokens, an Express, a Fastify and a gRPC server, and
 * the outcome of each call. `npm run demo -- --help` lists the options. Read from `demo` on: `attempts.ts` says which calls
 * are made, compares each outcome with the expected one and prints the table; `clients.ts` makes the calls.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import express from 'express';
import fastify from 'fastify';
import * as core from 'postern';
import * as onExpress from 'postern/express';
import * as onFastify from 'postern/fastify';
import * as onGrpc from 'postern/grpc';
import { sqliteStore } from 'postern/stores/sqlite';
import { internalNetworks } from 'postern/zones';
import { createTerminal, runSteps, stepsOf, TARGETS, type Told } from './attempts.js';
import * as clients from './clients.js';
import { HOST, INSIDE } from './clients.js';

const HELP = `npm run demo -- [options]

Makes the calls of the tutorial on three servers, which then stay up for you to try, until Ctrl-C.

  --once             end after the attempts: 0 when every decision was the expected one, else 1
  --database PATH    keep the SQLite database in this file (else it is removed at the end)
  --help             show this

Colours are left out in a pipe, and where NO_COLOR is set.
`;

const ENDPOINTS = [
  { id: 'summarizer', access: 'protected', meaning: 'a valid token that reaches it' },
  { id: 'status', access: 'public', meaning: 'anyone' },
  { id: 'metrics', access: 'private', meaning: 'callers inside the cluster only; to others it does not exist' },
] as const;

const terminal = createTerminal(process.stdout);
const { heading, line, note, paint } = terminal;
const stop = new AbortController();
/** Run at the end, the latest first. */
const closers: (() => unknown)[] = [];

async function demo({ once: ends = false, database = '' }): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-demo-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const filename = database ? resolve(database) : join(folder, 'postern.db');

  heading('1. Deployments of mybentocloud');
  note(`In the SQLite file ${filename}`);
  const live: { names: Map<string, string> | null } = { names: null };
  const postern = openPostern(filename, (event) => showDecision(event, live.names));
  closers.push(() => postern.close());
  for (const { id, access, meaning } of ENDPOINTS) {
    // A database that was kept from an earlier run has them already.
    if ((await postern.endpoints.get(id)) === null) await postern.endpoints.create({ id, access });
    else await postern.endpoints.update(id, { access });
    line(`  ${id.padEnd(10)}  ${paint('yellow', access.padEnd(9))}  ${paint('dim', meaning)}`);
  }

  heading('2. Tokens');
  note('Each secret is shown this once: the store has its digest only. The record can be listed and logged.');
  const tokens = await createTokens(postern);
  Object.values(tokens).forEach(showToken);

  heading('3. Servers');
  const told: Told = { reason: null };
  // The guards' `onDenied` notes the true reason, and leaves the answer as it is.
  const options: GuardOptions = {
    zone: internalNetworks([INSIDE]),
    onDenied({ reason }) {
      told.reason = reason;
    },
  };
  const certificate = await clients.createCertificate();
  const ports = {
    express: await startExpress(postern, options),
    fastify: await startFastify(postern, options),
    grpc: await startGrpc(postern, options, certificate),
  };
  const authority = join(folder, 'ca.pem');
  const script = join(folder, 'client.py');
  await writeFile(authority, certificate.cert);
  await writeFile(script, clients.pythonSource(tokens.user.token, ports.grpc, authority), { mode: 0o600 });
  line(`  Express  http://${HOST}:${ports.express}`);
  line(`  Fastify  http://${HOST}:${ports.fastify}`);
  line(`  gRPC     ${HOST}:${ports.grpc}, TLS; clients trust ${authority}`);

  heading('4. To try it yourself');
  const machine = await clients.lookAround();
  const secrets = { user: tokens.user.token, developer: tokens.developer.token };
  clients.printCommands(terminal, secrets, ports, { python: machine.python ?? '/usr/bin/python3', script, authority });

  heading('5. Attempts');
  for (const sentence of machine.missing) line(paint('yellow', sentence));
  const all = await clients.createClients(machine, ports, certificate.cert, script);
  closers.push(() => all.map((client) => client.close?.()));
  const unexpected = await runSteps(stepsOf(postern, tokens, machine.inside), all, told, terminal, stop.signal);

  if (ends) {
    const incomplete = machine.missing.length > 0 && Boolean(process.env.CI);
    if (incomplete) line(paint('red', 'On CI no attempt may be left out: this run counts as failed.'));
    return unexpected > 0 || incomplete ? 1 : 0;
  }
  heading('6. Your turn');
  line('The servers are up, the commands of part 4 work, and each decision shows here. Ctrl-C ends it.');
  live.names = new Map(Object.values(tokens).map(({ record }) => [record.id, record.name]));
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  line();
  note(`Closing: calls under way finish.${database && ` The database stays: ${filename}`}`);
  return 0;
}

/** A SQLite file, BentoCloud's token types (the default), one organization. */
function openPostern(filename: string, onEvent: core.EventListener) {
  return core.createPostern({ store: sqliteStore({ filename }), organization: 'mybentocloud', onEvent });
}

type Postern = ReturnType<typeof openPostern>;

async function createTokens({ tokens }: Postern) {
  return {
    user: await tokens.create({
      name: 'chat-app',
      owner: 'user',
      types: { user: { endpoints: ['summarizer'] } },
    }),
    developer: await tokens.create({
      name: 'ci',
      owner: 'user',
      ownership: 'organization',
      types: { developer: { scopes: ['models:write'] } },
      expiresIn: '90d',
    }),
    both: await tokens.create({
      name: 'notebook',
      owner: 'user',
      types: { user: { endpoints: '*' }, developer: { scopes: ['models:*'] } },
    }),
  };
}

function showToken({ token, record }: core.IssuedToken): void {
  const expiry = record.expiresAt === null ? 'never expires' : `expires ${record.expiresAt.toISOString()}`;
  line(`\n  ${paint('bold', record.name)}  ${JSON.stringify(record.types)}`);
  line(`    secret  ${paint('cyan', token)}`);
  line(`    record  id ${record.id}, hint ${record.hint}, ${record.ownership}, owner ${record.owner}, ${expiry}`);
}

/** An event as an application would log it. */
function showDecision(event: core.PosternEvent, names: ReadonlyMap<string, string> | null): void {
  if (names === null || event.type !== 'decision') return;
  const time = paint('dim', event.at.toISOString());
  const holder = event.tokenId === null ? '' : `  token ${names.get(event.tokenId) ?? event.tokenId}`;
  if (event.allowed) line(`${time}  ${paint('green', 'allowed')}${holder}`);
  else line(`${time}  ${paint('yellow', 'denied')}   ${event.reason}`);
}

type GuardOptions = { zone: ReturnType<typeof internalNetworks>; onDenied: (denial: core.Denied) => undefined };

async function startExpress(postern: Postern, options: GuardOptions): Promise<number> {
  const { guard, notFound } = onExpress;
  const app = express();
  // The guard stands before the body parser: a refused body is not read.
  const byName = guard(postern, (request) => ({ endpoint: request.params.name }), options);
  app.all('/d/:name', byName, express.json(), (request, response) => {
    response.json(run(request.params.name as string, request.principal));
  });
  app.get('/api/v1/models', guard(postern, { scope: 'models:read' }, options), (_request, response) => {
    response.json({ models });
  });
  const mayWrite = guard(postern, { scope: 'models:write' }, options);
  app.post('/api/v1/models', mayWrite, express.json(), (request, response) => {
    response.status(201).json(createModel(request.body, request.principal));
  });
  app.use(notFound());

  const server = app.listen(0, HOST);
  closers.push(() => new Promise((closed) => server.close(closed)));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function startFastify(postern: Postern, options: GuardOptions): Promise<number> {
  const app = fastify();
  closers.push(() => app.close());
  await app.register(onFastify.posternPlugin, { postern, ...options });
  app.setNotFoundHandler(onFastify.notFound());
  type Named = { Params: { name: string } };
  app.route<Named>({
    method: ['GET', 'POST'],
    url: '/d/:name',
    config: { requirement: (request) => ({ endpoint: (request.params as Named['Params']).name }) },
    handler: async (request) => run(request.params.name, request.principal),
  });
  app.get('/api/v1/models', { config: { requirement: { scope: 'models:read' } } }, async () => ({ models }));
  app.post('/api/v1/models', { config: { requirement: { scope: 'models:write' } } }, async (request, reply) => {
    reply.code(201);
    return createModel(request.body, request.principal);
  });
  await app.listen({ port: 0, host: HOST });
  return (app.server.address() as AddressInfo).port;
}

async function startGrpc(postern: Postern, options: GuardOptions, identity: clients.Certificate): Promise<number> {
  const requirements = {
    '/bento.Summarizer/': { endpoint: 'summarizer' },
    '/bento.Status/': { endpoint: 'status' },
    '/bento.Metrics/': { endpoint: 'metrics' },
    '/bento.Translator/': { endpoint: 'translator' },
    '/bento.Models/List': { scope: 'models:read' },
    '/bento.Models/Create': { scope: 'models:write' },
  } as const;
  const server = new Server({ interceptors: [onGrpc.guard(postern, requirements, options)] });
  for (const id of ['summarizer', 'status', 'metrics', 'translator'] as const) {
    serve(server, TARGETS[id].grpc, (call) => run(id, onGrpc.principalOf(call)));
  }
  serve(server, TARGETS['read models'].grpc, () => ({ models }));
  serve(server, TARGETS['write models'].grpc, (call) => createModel(call.request, onGrpc.principalOf(call)));

  const pair = { private_key: Buffer.from(identity.private), cert_chain: Buffer.from(identity.cert) };
  const bind = promisify(server.bindAsync.bind(server));
  const port = await bind(`${HOST}:0`, ServerCredentials.createSsl(null, [pair]));
  closers.push(() => new Promise((closed) => server.tryShutdown(closed)));
  return port as number;
}

/** JSON in place of Protocol Buffers: no code is generated. */
function serve(server: Server, path: string, answer: (call: ServerUnaryCall<unknown, object>) => object): void {
  const write = (value: unknown) => Buffer.from(JSON.stringify(value));
  const read = (bytes: Buffer) => JSON.parse(bytes.toString());
  const form = {
    requestSerialize: write,
    requestDeserialize: read,
    responseSerialize: write,
    responseDeserialize: read,
  };
  const handler = (call: ServerUnaryCall<unknown, object>, done: sendUnaryData<object>) => done(null, answer(call));
  server.addService({ call: { path, requestStream: false, responseStream: false, ...form } }, { call: handler });
}

// The application behind the guards. It knows nothing of tokens, only its caller: `null` if none was needed.
type Caller = Pick<core.Principal, 'owner'> | null | undefined;

const models: object[] = [];

function run(deployment: string, caller: Caller): object {
  return { deployment, calledBy: caller?.owner ?? null };
}

function createModel(body: unknown, caller: Caller): object {
  const model = { ...(body as object), createdBy: caller?.owner ?? null };
  models.push(model);
  return model;
}

async function main(): Promise<number> {
  let options: { once?: boolean; help?: boolean; database?: string };
  try {
    const known = {
      once: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      database: { type: 'string' },
    } as const;
    options = parseArgs({ options: known }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  // Ctrl-C comes from the terminal, and again through npm: it is handled for good.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort());
  try {
    return await demo(options);
  } catch (error) {
    if (stop.signal.aborted) return 130;
    const told = core.isPosternError(error) ? `${error.message} (${error.code})` : (error as Error).stack;
    process.stderr.write(`${told}\n`);
    return 1;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

process.exitCode = await main();
