import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { endpointFromHost } from 'postern/gateway';
import { expect, it, onTestFinished } from 'vitest';
import { requireTool } from '../support/tools.js';
import {
  type CurlAnswer,
  curl,
  Endings,
  grpcCalls,
  HOST,
  isThere,
  PROXIES,
  type ProxyName,
  serveGateway,
  startProxy,
} from './real-proxies.js';
import { gatewayWorld } from './world.js';

/**
 * The table of examples/gateways/README.md is what the proxies did here. `POSTERN_DOCS=1` takes over what was seen; without it, a
 * difference fails. The column of a proxy that is not here stays.
 */
const README = fileURLToPath(new URL('../../examples/gateways/README.md', import.meta.url));
const NAMES = Object.keys(PROXIES) as ProxyName[];
const host = (endpoint: string) => `${endpoint}.acme.cloud.example.com`;
const bearer = (token: string) => ['-H', `Authorization: Bearer ${token}`];

/** Refusals by the row that they belong to: status, `code` of the body, gRPC status. */
const ROWS = {
  '401 and 403 with challenge and body': [
    'token_missing',
    'token_unknown',
    'token_expired',
    'token_revoked',
    'endpoint_not_granted',
  ],
  '400, 404, 429 and 503 with headers and body': [
    'token_malformed',
    'not_found',
    'private',
    'rate_limited',
    'unavailable',
  ],
  'two `Authorization` headers': ['two_tokens'],
} as const;

async function casesOf(name: ProxyName, endings: Endings) {
  const world = await gatewayWorld({
    requirement: endpointFromHost('{endpoint}.{organization}.cloud.example.com'),
    trustedProxies: ['127.0.0.1'],
  });
  const endpoints = ['summarizer'];
  const expired = await world.token({ endpoints, expiresIn: '1s' });
  const { record, token: revoked } = await world.issue({ endpoints });
  await world.postern.tokens.revoke(record.id);
  world.clock.advance('2s');
  const other = await world.token({ endpoints: ['translator'] });
  const limited = await world.token({ endpoints, rateLimit: { points: 1, duration: '1d' } });
  const unread = await world.token({ endpoints });
  const { http, grpc } = await serveGateway(world.gateway, endings);
  const proxy = await startProxy(name, { gateway: http, grpcGateway: grpc, service: 1 }, endings);
  await ownAnswer(http, HOST, bearer(limited));
  const refusals: Readonly<Record<string, readonly [status: number, host: string, args: readonly string[]]>> = {
    token_missing: [401, HOST, []],
    token_unknown: [401, HOST, bearer('pst_nothing')],
    token_expired: [401, HOST, bearer(expired)],
    token_revoked: [401, HOST, bearer(revoked)],
    endpoint_not_granted: [403, HOST, bearer(other)],
    token_malformed: [400, HOST, bearer('a b')],
    not_found: [404, host('nowhere'), bearer(world.good)],
    private: [404, host('metrics'), bearer(world.good)],
    rate_limited: [429, HOST, bearer(limited)],
    unavailable: [503, HOST, bearer(unread)],
    two_tokens: [400, HOST, [...bearer(world.good), ...bearer(other)]],
  };
  return { world, proxy, gateway: http, refusals };
}

/** The gateway's own answer, which a proxy should hand on whole. */
function ownAnswer(port: number, named: string, args: readonly string[]): Promise<CurlAnswer> {
  const told = { Host: named, Method: 'GET', Uri: '/v1', For: '198.51.100.7' };
  const headers = Object.entries(told).flatMap(([name, value]) => ['-H', `X-Forwarded-${name}: ${value}`]);
  return curl(port, 'gateway', '/auth', ...headers, ...args);
}

const KEPT = ['www-authenticate', 'retry-after', 'ratelimit', 'ratelimit-policy', 'content-type'];
const visible = ({ status, headers, body }: CurlAnswer) => [status, body, ...KEPT.map((name) => headers[name])];

async function columnOf(name: ProxyName): Promise<Record<string, string>> {
  const endings = new Endings();
  onTestFinished(() => endings.run());
  const { world, proxy, gateway, refusals } = await casesOf(name, endings);
  const column: Record<string, string> = {};
  const statuses: [own: string | undefined, seen: string | undefined, http: string][] = [];
  for (const [row, reasons] of Object.entries(ROWS)) {
    const lost: string[] = [];
    for (const reason of reasons) {
      const [status, named, args] = refusals[reason] as (typeof refusals)[string];
      if (reason === 'unavailable') world.store.failAll(new Error('down'));
      const own = await ownAnswer(gateway, named, args);
      expect(own.status, reason).toBe(status);
      const seen = await curl(proxy.port, named, '/v1', ...args);
      if (JSON.stringify(visible(seen)) !== JSON.stringify(visible(own))) lost.push(`its own ${seen.status}`);
      const asGrpc = ['-H', 'Content-Type: application/grpc', '-X', 'POST', ...args];
      const told = await ownAnswer(gateway, named, asGrpc);
      const refused = await curl(
        proxy.grpcPort,
        named,
        '/bento.Summarizer/Summarize',
        '--http2-prior-knowledge',
        ...asGrpc,
      );
      if (reason !== 'two_tokens') {
        statuses.push([
          grpcStatus(told),
          grpcStatus(refused),
          refused.status === 200 ? '200' : refused.status === status ? 'that of the refusal' : '?',
        ]);
      }
      world.store.mend();
    }
    column[row] = lost.length === 0 ? 'whole' : [...new Set(lost)].join(', ');
  }
  const isKept = statuses.every(([own, seen]) => own !== undefined && own === seen);
  column['a gRPC call: status and message'] = isKept ? 'whole' : 'not kept';
  column['a gRPC call: HTTP status'] = [...new Set(statuses.map(([, , http]) => http))].join(', ');
  const down = await startProxy(name, { gateway: 1, grpcGateway: 1, service: 1 }, endings);
  const [grpc] = await grpcCalls(down.grpcPort, { metadata: [['authorization', `Bearer ${world.good}`]] });
  const { status } = await curl(down.port, HOST, '/v1', ...bearer(world.good));
  column['the gateway is down: HTTP, gRPC'] = `${status}, ${grpc?.[0]}`;
  return column;
}

function grpcStatus({ headers }: CurlAnswer): string | undefined {
  const code = headers['grpc-status'];
  return code === undefined || code === '0' ? undefined : `${code} ${headers['grpc-message']}`;
}

it('what each proxy lets through is what the table of examples/gateways says', async () => {
  for (const tool of ['nginx', 'caddy', 'haproxy', 'curl', 'gRPC for Python']) requireTool(tool);
  const text = await readFile(README, 'utf8');
  const begin = text.indexOf('| refusal |');
  const end = text.indexOf('\n\n', begin);
  const written = text
    .slice(begin, end)
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const columns: Record<string, Record<string, string>> = {};
  for (const [index, name] of NAMES.entries()) {
    columns[name] = isThere(name)
      ? await columnOf(name)
      : Object.fromEntries(written.slice(2).map(([row = '', ...cells]) => [row, cells[index] ?? '']));
  }
  const rows = Object.keys(columns.nginx as object).map((row) => [
    row,
    ...NAMES.map((name) => columns[name]?.[row] ?? ''),
  ]);
  const titles = ['nginx', 'Caddy', 'HAProxy', 'Envoy', 'Traefik'];
  const table = [['refusal', ...titles], ['---', ...titles.map(() => '---')], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
  if (process.env.POSTERN_DOCS) await writeFile(README, text.slice(0, begin) + table + text.slice(end));
  else expect(text.slice(begin, end)).toBe(table);
});
