import { createHash, randomBytes } from 'node:crypto';
import type { GrantView } from '../backend/backend.js';
import { type Answer, ask, problemOf, succeeded } from '../backend/http-client.js';
import { EXIT } from '../exit-codes.js';
import { CliError } from '../failure.js';
import type { Host } from '../host.js';
import { note } from '../output/print.js';
import { assertToken } from '../secrets.js';

/** Milliseconds between two calls. */
const PAUSE = 1_000;
/** The life of a code (RFC 8628 `expires_in`), in milliseconds. */
const LIFE = 5 * 60_000;
/** Gives up after this many failures in a row. A restarted server is back by then. */
const MOST_FAILURES = 30;

interface BrowserLogin {
  readonly open: boolean;
  /** The requested grants; `undefined`: the approver chooses. */
  readonly types: Readonly<Record<string, GrantView>> | undefined;
}

/**
 * Logs in through a browser, as in RFC 8628: the server gives a code, a signed-in person approves it, and this command collects the
 * token. The code alone is worthless: collecting needs the verifier of the login's challenge (RFC 7636), and approving needs
 * a second code that only this terminal shows (RFC 8628 section 5.4).
 *
 * @throws CliError if it was refused, or not approved in time
 */
export async function loginInBrowser(host: Host, endpoint: string, { open, types }: BrowserLogin): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const { code, userCode } = await begin(endpoint, challenge, types);
  const page = `${endpoint}/api_tokens?code=${encodeURIComponent(code)}`;
  const typed = userCode === null ? '' : `\n\nIt asks for this code:\n\n  ${userCode}`;
  note(host, `Open this page and approve the login there:\n\n  ${page}${typed}\n`);
  if (open && host.stderr.isTTY) host.openBrowser(page);
  note(host, 'Waiting for at most five minutes. Ctrl-C cancels.');
  const until = host.clock() + LIFE;
  let failures = 0;
  while (host.clock() < until) {
    await host.wait(PAUSE);
    try {
      const token = await collect(endpoint, code, verifier);
      if (token !== null) return token;
      failures = 0;
    } catch (error) {
      // A short outage is no refusal.
      const away = error instanceof CliError && error.exitCode === EXIT.unavailable;
      if (!away || ++failures >= MOST_FAILURES) throw error;
    }
  }
  throw new CliError('nobody approved this login within five minutes. Run postern login again');
}

/** Servers other than postern give no user code. */
async function begin(endpoint: string, challenge: string, types: BrowserLogin['types']) {
  const query = {
    code_challenge: challenge,
    code_challenge_method: 'S256',
    types: types === undefined ? undefined : JSON.stringify(types),
  };
  const answer = succeeded(endpoint, await ask(endpoint, { path: '/api/v1/auth/code', query }));
  const { code, user_code: userCode = null } = answer as { code?: unknown; user_code?: unknown };
  const understood = userCode === null || (typeof userCode === 'string' && /^[A-Z-]{4,20}$/.test(userCode));
  if (typeof code === 'string' && /^[\x21-\x7e]{16,512}$/.test(code) && understood) return { code, userCode };
  throw new CliError(`${endpoint} gave no code to log in with. Check the address, or use --api-token`);
}

/** The token, or `null` if nobody has approved the login yet. */
async function collect(endpoint: string, code: string, verifier: string): Promise<string | null> {
  const answer = await ask(endpoint, {
    path: '/api/v1/auth/token',
    query: { code },
    headers: { 'x-postern-verifier': verifier },
  });
  const { status } = answer;
  if (isPending(answer)) return null;
  if (status >= 400 && status < 500 && status !== 429)
    throw new CliError(`the login was refused: ${problemOf(answer).replace(/\.$/, '')}. Run postern login again`);
  const { token } = succeeded(endpoint, answer) as { token?: unknown };
  if (typeof token === 'string') return assertToken(token, "the server's answer");
  throw new CliError(`${endpoint} approved the login and sent no token. Run postern login again`);
}

/** RFC 8628 section 3.5. Other servers only say that there is no token, so they are asked until the time is over. */
function isPending({ status, body }: Answer): boolean {
  if (status < 400 || status >= 500) return false;
  const code = typeof body === 'object' && body !== null ? (body as { code?: unknown }).code : undefined;
  return code === 'authorization_pending' || (code === undefined && status !== 403 && status !== 410);
}
