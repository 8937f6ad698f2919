import { unpolluted } from '../base/check.js';
import type { Denied } from '../domain/decision.js';
import { VerifiedPrincipal } from '../domain/principal.js';
import { AUTHORIZATION, type Places, type Presented } from '../transports/credential.js';
import { readFetchCredential } from '../transports/fetch-credential.js';
import { httpAnswers } from '../transports/http-answer.js';
import type { Caller, TokenCaller } from './caller.js';
import type { Context } from './context.js';
import { endedCookie, readSessionCookie } from './http/cookie.js';
import { Problem, unauthorized, unavailable } from './http/problem.js';
import type { Settings } from './options.js';
import { readPerson } from './person.js';

/** The header of BentoCloud's clients. It holds the raw token. */
const TOKEN_HEADER = 'x-yatai-api-token';
const IN_TOKEN_HEADER: Places = { authorization: false, headers: [TOKEN_HEADER], ignoresOther: false };

const answerTo = httpAnswers();

/** A rendered refusal: the same answer that every guard gives to this credential. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly response: Response;

  constructor(response: Response) {
    super('refused');
    this.response = response;
  }
}

/**
 * Refuses a request without any credential, before its body is read. The application's own function may name a caller by anything,
 * so with `identify` no request is refused here.
 *
 * @throws Problem 400, 401
 */
export function assertSaysWho({ settings }: Context, request: Request, secure: boolean): void {
  if (settings.identify !== null || presentedBy(request) !== null) return;
  if (settings.session && readSessionCookie(request.headers.get('cookie'), secure) !== null) return;
  throw nobody(settings);
}

/**
 * Finds the caller: by the token in a header, else by the console's session, else by the application's session. A deliberate
 * credential goes before one that the browser sends by itself. A refused token ends the search.
 *
 * @throws Refusal, Problem 400, 401, 403, 503
 */
export async function identify(context: Context, request: Request, secure: boolean, source: unknown): Promise<Caller> {
  const { settings } = context;
  const credential = presentedBy(request);
  if (credential !== null) return tokenCaller(context, request, credential, false);
  if (settings.session) {
    const id = readSessionCookie(request.headers.get('cookie'), secure);
    if (id !== null) return sessionCaller(context, request, id, secure);
  }
  const person = await askApplication(context, request, source);
  if (person !== null) return person;
  throw nobody(settings);
}

/** What came in a header, malformed or not; `null` where nothing did. */
function presentedBy(request: Request): Presented | null {
  // Both headers at once are two credentials, whatever is in them.
  const credential = readFetchCredential(request, request.headers.has(TOKEN_HEADER) ? IN_TOKEN_HEADER : AUTHORIZATION);
  return credential.malformed || credential.token !== null ? credential : null;
}

function nobody({ session }: Settings): Problem {
  const detail = 'This needs a token with developer access: send it as "Authorization: Bearer <token>".';
  return unauthorized('token_missing', detail, { sign_in: session });
}

/** Decides as if the session's token had been sent. */
async function sessionCaller(context: Context, request: Request, id: string, secure: boolean): Promise<Caller> {
  const session = await context.sessions.find(id);
  if (session === null) throw sessionOver(secure);
  const credential = { token: session.secret, malformed: false, proof: null };
  try {
    const caller = await tokenCaller(context, request, credential, true);
    // A deleted token that was imported again has the same secret, but is another token.
    if (caller.principal.tokenId !== session.tokenId) throw sessionOver(secure);
    return caller;
  } catch (error) {
    // The session ends with its token, so the browser may drop the cookie. An outage does not end it.
    if (error instanceof Refusal && error.response.status === 401) {
      error.response.headers.append('set-cookie', endedCookie(secure));
    }
    throw error;
  }
}

function sessionOver(secure: boolean): Problem {
  return new Problem(401, 'session_over', 'This session is over: sign in again.', {
    headers: { 'www-authenticate': 'Bearer realm="postern"', 'set-cookie': endedCookie(secure) },
    members: { sign_in: true },
  });
}

/**
 * The holder of a token with scopes. Its use is counted and charged to its limits.
 *
 * @throws Refusal, Problem 403
 */
export async function tokenCaller(
  context: Context,
  request: Request,
  presented: Presented,
  ambient: boolean,
): Promise<TokenCaller> {
  const decision = await context.ask(request, presented);
  if (!decision.allowed) throw new Refusal(refused(decision, context.settings.session));
  const principal = decision.principal as VerifiedPrincipal;
  const grants = VerifiedPrincipal.grantsOf(principal);
  const { catalog } = context.ground.settings;
  const manages =
    grants !== null && Object.keys(grants.stored).some((name) => catalog.types.get(name)?.form === 'scope_access');
  if (!manages) {
    const detail = 'This token reaches endpoints only: to manage, use a token with developer access.';
    throw new Problem(403, 'scope_missing', detail, {
      headers: { 'www-authenticate': 'Bearer realm="postern", error="insufficient_scope"' },
    });
  }
  const secret = () => context.secrets.of(presented.token);
  return { kind: 'token', principal, grants, ambient, limit: unpolluted(decision, 'limit') ?? null, secret };
}

function refused(denial: Denied, signIn: boolean): Response {
  const { status, headers, body } = answerTo(denial);
  const { 'Content-Length': _, ...rest } = headers;
  const told = status === 401 ? JSON.stringify({ ...JSON.parse(body), sign_in: signIn }) : body;
  return new Response(told, { status, headers: rest });
}

/** @throws Problem 503 if the application can't tell: an unknown caller is not "nobody" */
async function askApplication(context: Context, request: Request, source: unknown): Promise<Caller | null> {
  const { identify: ask } = context.settings;
  if (ask === null) return null;
  try {
    const found = await ask(request, source);
    if (found === null || found === undefined) return null;
    const { catalog, organization } = context.ground.settings;
    return readPerson(found, catalog, organization);
  } catch (error) {
    context.report(error, request);
    throw unavailable('The server can not tell who you are at the moment.');
  }
}
