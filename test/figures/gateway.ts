import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPostern, memoryStore } from 'postern';
import { generateKeys, verifyHop } from 'postern/jwt';
import { signingHops } from '../../src/gateway/hop/hops.js';
import {
  curl,
  Endings,
  HOST,
  isThere,
  type Ports,
  PROXIES,
  type ProxyName,
  startProxy,
} from '../gateway/real-proxies.js';
import { inPath } from '../support/tools.js';
import { percentile, sharedClock } from './lib/numbers.js';
import { Report } from './lib/report.js';
import { startWorker } from './lib/workers.js';

/**
 * What does a check cost through each proxy, against the bare proxy? Goal: a warm check within 120 µs of the gateway's processor time,
 * and p99 under 3 ms at half load. And: when is a revocation seen through a proxy, and how many hops are signed and verified.
 *
 * node --import tsx test/figures/gateway.ts [seconds of each load] [revocations]
 */
const SECONDS = Number(process.argv[2] ?? 5);
const REVOCATIONS = Number(process.argv[3] ?? 20);
const CLIENTS = 16;

/** Takes the question to the gateway out of the ready files. */
const bare = (text: string) =>
  text
    .replace(/auth_request \/.*;/g, '')
    .replace(/\timport postern\n/g, '')
    .replace(/ {2}http-request (?:lua\.postern|deny) .*\n/g, '')
    .replace(/- name: envoy\.filters\.http\.ext_authz[\s\S]*?(?=- name: envoy\.filters\.http\.router)/, '')
    .replaceAll('middlewares: [postern, without-token]', 'middlewares: [without-token]');

const report = new Report(`A check through each proxy, ${CLIENTS} clients, ${SECONDS} s each`, 1_200);
if (!inPath('h2load')) throw new Error('h2load is missing: on Debian and Ubuntu apt-get install nghttp2-client');
const rows: (string | number)[][] = [
  [
    'proxy',
    'asks',
    'calls/s',
    'p50 ms',
    'p99 ms',
    'p99 ms at half load',
    'gateway µs/check',
    'revoked: p50 ms',
    'max ms',
  ],
];
const goals: (() => void)[] = [];
let failed = 0;

const gateway = await startWorker('gateway', []);
const service = await startWorker('gateway', ['service']);
const { http, grpc } = await gateway.ask<{ http: number; grpc: number }>('ports');
const ports = { gateway: http, grpcGateway: grpc, service: await service.ask<number>('port') };
const { token } = await gateway.ask<{ token: string }>('issue');
for (const name of Object.keys(PROXIES) as ProxyName[]) {
  if (isThere(name)) await measure(name, ports);
  else report.progress(`${name} is not here: name its program in POSTERN_${name.toUpperCase()}`);
}
await gateway.end();
await service.end();

report.table(rows);
for (const say of goals) say();
await measureHops();
report.zero('calls with another status than 200', failed);
report.end();

async function measure(name: ProxyName, ports: Ports): Promise<void> {
  for (const kind of ['nothing', 'the gateway'] as const) {
    const endings = new Endings();
    try {
      const { port } = await startProxy(name, ports, endings, kind === 'nothing' ? bare : undefined);
      load(port, 1);
      const begun = await gateway.ask<number>('time');
      const full = load(port, SECONDS);
      const spent = ((await gateway.ask<number>('time')) - begun) / full.times.length;
      const rate = full.times.length / SECONDS;
      const half = percentile(load(port, SECONDS, rate / 2).times, 99);
      const quantiles = [percentile(full.times, 50), percentile(full.times, 99), half];
      if (kind === 'nothing') rows.push([name, kind, rate, ...quantiles, '', '', '']);
      else {
        const seen = await revocations(port);
        rows.push([name, kind, rate, ...quantiles, spent, percentile(seen, 50), Math.max(...seen)]);
        goals.push(() => report.goal(`processor time of a check through ${name}`, spent, 120, ' µs'));
        goals.push(() => report.goal(`p99 at half load through ${name}`, half, 3, ' ms'));
      }
      report.progress(`${name} that asks ${kind}`);
    } finally {
      await endings.run();
    }
  }
}

/** Milliseconds of each call. @param rate calls a second; left out: as many as there can be */
function load(port: number, seconds: number, rate?: number): { times: number[] } {
  const log = join(tmpdir(), `postern-h2load-${process.pid}`);
  rmSync(log, { force: true });
  const args = ['--h1', '-c', String(CLIENTS), '-t', '1', '-D', String(seconds), `--log-file=${log}`];
  if (rate !== undefined) args.push(`--rps=${Math.max(1, Math.round(rate / CLIENTS))}`);
  const to = [`--connect-to=127.0.0.1:${port}`, '-H', `Authorization: Bearer ${token}`, `http://${HOST}/v1`];
  const { status, stderr } = spawnSync('h2load', [...args, ...to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`h2load ended with ${status}: ${stderr}`);
  const calls = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
  rmSync(log);
  failed += calls.filter(([, code]) => code !== '200').length;
  return { times: calls.map(([, , microseconds]) => Number(microseconds) / 1000) };
}

/** Milliseconds from the call of `revoke` to the end of the first call that is refused. */
async function revocations(port: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < REVOCATIONS; i++) {
    const { token, id } = await gateway.ask<{ token: string; id: string }>('issue');
    const status = async () => (await curl(port, HOST, '/v1', '-H', `Authorization: Bearer ${token}`)).status;
    if ((await status()) !== 200) failed++;
    const begun = sharedClock();
    await gateway.ask('revoke', id);
    while ((await status()) === 200);
    times.push(sharedClock() - begun);
  }
  return times;
}

async function measureHops(): Promise<void> {
  const issuer = 'https://auth.example.com';
  const postern = createPostern({ store: memoryStore(), organization: 'acme' });
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  const made = await postern.tokens.create({ name: 'x', types: { user: { endpoints: ['summarizer'] } } });
  const found = await postern.authenticate(made.token);
  if (!found.ok) throw new Error('the token is not known');
  const { principal } = found;
  const signer = signingHops(postern, { issuer, keys: await generateKeys() });
  const options = { issuer, audience: 'acme/summarizer', jwks: await signer.jwks() };
  const sign = (path: string) =>
    signer.sign(principal, { audience: options.audience, htm: 'GET', htu: `http://${HOST}${path}` });
  let hop = '';
  const signed = await perSecond(async (i) => {
    hop = await sign(`/${i}`);
  });
  const reused = await perSecond(() => sign('/same'));
  const url = new URL(JSON.parse(Buffer.from(hop.split('.')[1] as string, 'base64url').toString()).htu).pathname;
  const verified = await perSecond(async () => {
    const caller = await verifyHop({ method: 'GET', url, headers: { 'postern-identity': hop } }, options);
    if (caller === null) failed++;
  });
  report.table([
    ['hops', 'a second'],
    ['signed', signed],
    ['used again', reused],
    ['verified', verified],
  ]);
  await postern.close();
}

async function perSecond(work: (i: number) => Promise<unknown>): Promise<number> {
  const end = performance.now() + SECONDS * 1000;
  let count = 0;
  while (performance.now() < end) await work(count++);
  return Math.round(count / SECONDS);
}
