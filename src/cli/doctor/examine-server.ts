import { connect } from 'node:tls';
import * as z from 'zod';
import { httpBackend } from '../backend/http-backend.js';
import { type Answer, ask, isInTheClear, problemOf } from '../backend/http-client.js';
import type { Context } from '../contexts.js';
import { CliError } from '../failure.js';
import type { Host } from '../host.js';
import { clockFinding, type Finding, failed, ok, problem, warning } from './finding.js';

const DAY = 86_400_000;
const SESSION = '/api/v1/session';
const session = z.object({
  owner: z.string().nullish(),
  token_id: z.string().nullable(),
  version: z.string().optional(),
});

/** Examines a server as its caller sees it, with the token of a context. It changes nothing there. */
export async function* examineServer(
  host: Host,
  { name, endpoint, api_token: token }: Context,
): AsyncGenerator<Finding> {
  if (isInTheClear(endpoint)) {
    yield problem(
      'tls',
      `${endpoint} is not https: anyone on the way can read your token`,
      'Put a proxy with TLS before it, and log in to its https address.',
    );
  }
  try {
    const asked = host.clock();
    const answer = await ask(endpoint, { path: SESSION, token });
    yield ok('server', `${endpoint} answers`);
    if (endpoint.startsWith('https:')) yield await certificateFinding(endpoint, host.clock());
    const date = Date.parse(answer.headers.get('date') ?? '');
    // The header has whole seconds.
    if (!Number.isNaN(date))
      yield clockFinding('the server', date, (asked + host.clock()) / 2, 1_000 + host.clock() - asked);
    yield* loginFindings(host, answer, { name, endpoint, token });
    yield* await addressFindings(endpoint);
  } catch (error) {
    yield failed('server', error, 'Is the server running, and is the address right?');
  }
}

async function* loginFindings(
  host: Host,
  answer: Answer,
  { name, endpoint, token }: { readonly name: string; readonly endpoint: string; readonly token: string },
): AsyncGenerator<Finding> {
  const login = `postern login --endpoint ${endpoint}`;
  const { status, headers } = answer;
  const { code } = (answer.body ?? {}) as { readonly code?: unknown };
  const challenge = headers.get('www-authenticate') ?? '';
  if (status === 401 && code === 'token_missing') {
    yield problem(
      'proxy',
      'The token does not reach the server: a proxy before it drops the header Authorization',
      'Let the proxy pass it on; in nginx, take out proxy_set_header Authorization "".',
    );
  } else if (status === 401 && !/^Bearer/i.test(challenge)) {
    yield problem(
      'proxy',
      `Something before the server asks for another login (${challenge.split(' ', 1)[0] || 'no challenge'})`,
      'Let calls with a Bearer token through.',
    );
  } else if (status === 401) {
    yield problem('login', `The server does not take the token of ${name} (${problemOf(answer)})`, login);
  } else if (status === 403 && code !== undefined) {
    yield ok('proxy', 'The token reaches the server');
    yield warning(
      'login',
      `The token of ${name} may not manage tokens (${problemOf(answer)})`,
      'Log in with a developer token.',
    );
  } else {
    const found = session.safeParse(answer.body);
    if (status !== 200 || !found.success) {
      yield problem(
        'server',
        `${endpoint} does not answer like a postern server (HTTP ${status})`,
        'Give the address below which its API is, such as https://example.com/admin.',
      );
      return;
    }
    const { token_id: id, version } = found.data;
    if (version !== undefined) yield ok('version', `The server is postern ${version}`);
    yield ok('proxy', 'The token reaches the server');
    yield await endFinding(host, { name, endpoint, token, id, login });
  }
}

interface Login {
  readonly name: string;
  readonly endpoint: string;
  readonly token: string;
  readonly id: string | null;
  readonly login: string;
}

async function endFinding(host: Host, { name, endpoint, token, id, login }: Login): Promise<Finding> {
  try {
    const found = id === null ? null : await httpBackend(endpoint, token).findToken(id);
    if (found === null) return ok('login', `The login ${name} is valid`);
    if (found.expired_at === null) return ok('login', `The login ${name} is valid, and has no end`);
    const left = Date.parse(found.expired_at) - host.clock();
    const text = `The login ${name} is valid until ${found.expired_at}`;
    return left < 7 * DAY ? warning('login', text, login) : ok('login', text);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return ok('login', `The login ${name} is valid; its end is not shown to it`);
  }
}

/**
 * Ends a session that does not exist, as a page of the server's public address would, and as a page of another one that forges the
 * headers of a proxy.
 */
async function addressFindings(endpoint: string): Promise<readonly Finding[]> {
  const from = (origin: string, headers: Readonly<Record<string, string>> = {}) =>
    ask(endpoint, { method: 'DELETE', path: SESSION, headers: { origin, ...headers } });
  const { status } = await from(new URL(endpoint).origin);
  // Without sessions, no browser has to be told from another.
  if (status !== 403 && (status < 200 || status >= 300)) return [];
  const forged = 'doctor.invalid';
  const fooled = await from(`https://${forged}`, {
    'x-forwarded-host': forged,
    'x-forwarded-proto': 'https',
    forwarded: `host=${forged};proto=https`,
  });
  if (fooled.status >= 200 && fooled.status < 300) {
    return [
      problem(
        'address',
        'The server takes its own address from X-Forwarded-Host, which any caller can write',
        'Name the address in --origin (option origin), and let no header change it.',
      ),
    ];
  }
  if (status === 403) {
    return [
      warning(
        'address',
        'The server does not know its public address, so that the console can not sign in there',
        `Start it with --origin ${new URL(endpoint).origin} (option origin), or let the proxy pass on Host.`,
      ),
    ];
  }
  return [ok('address', 'The server knows its public address, and takes none from the headers of callers')];
}

/** Looks at the end of the certificate. A certificate that is not valid has already failed the call. */
function certificateFinding(endpoint: string, now: number): Promise<Finding> {
  const { hostname, port } = new URL(endpoint);
  const unknown = ok('tls', 'The certificate is valid');
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({
      host,
      port: Number(port || 443),
      servername: host,
      rejectUnauthorized: false,
      timeout: 5_000,
    });
    const end = (finding: Finding) => {
      socket.destroy();
      resolve(finding);
    };
    socket.once('timeout', () => end(unknown));
    // Behind a proxy of ours there is no direct way.
    socket.once('error', () => end(unknown));
    socket.once('secureConnect', () => {
      const end_ = Date.parse(socket.getPeerCertificate().valid_to);
      if (Number.isNaN(end_)) return end(unknown);
      const text = `The certificate is valid until ${new Date(end_).toISOString().slice(0, 10)}`;
      end(end_ - now < 14 * DAY ? warning('tls', text, 'Renew it.') : ok('tls', text));
    });
  });
}
