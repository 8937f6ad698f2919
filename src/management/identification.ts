import type { Denied } from '../domain/decision.js';
import { VerifiedPrincipal } from '../domain/principal.js';
import { type Presented, readBearer, readProof, readRawToken } from '../transports/credential.js';
import { httpAnswers } from '../transports/http-answer.js';
import type { Caller, TokenCaller } from './caller.js';
import type { Context } from './context.js';
import { endedCookie, readSessionCookie } from './http/cookie.js';
import { Problem, unauthorized, unavailable } from './http/problem.js';
import { readPerson } from './person.js';

/** The header of BentoCloud's clients. It holds the token as it is. */
const TOKEN_HEADER = 'x-yatai-api-token';

const answerTo = httpAnswers();

/** A refusal that is rendered already: what every guard of this package answers to the same credential. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly response: Response;

  constructor(response: Response) {
    super('refused');
    this.response = response;
  }
}

/**
 * Who calls: by the token in a header, else by the one in the session's cookie, else by the application's session. What was
 * sent on purpose goes before what the browser sends by itself; a token that is refused ends the search.
 *
 * @throws Refusal, Problem 400, 401, 403, 503
 */
export async function identify(context: Context, request: Request, secure: boolean, source: unknown): Promise<Caller> {
  const { settings } = context;
  const credential = readHeaders(request);
  if (credential.malformed || credential.token !== null) return tokenCaller(context, request, credential, false);
  if (settings.session) {
    const token = readSessionCookie(request.headers.get('cookie'), secure);
    if (token !== null) return cookieCaller(context, request, token, secure);
  }
  const person = await askApplication(context, request, source);
  if (person !== null) return person;
  const detail = 'This needs a token with developer access: send it as "Authorization: Bearer <token>".';
  throw unauthorized('token_missing', detail, { sign_in: settings.session });
}

/** Both headers at once are two credentials, whatever is in them. */
function readHeaders({ headers, url }: Request): Presented {
  const authorization = headers.get('authorization') ?? undefined;
  const raw = headers.get(TOKEN_HEADER) ?? undefined;
  if (raw !== undefined) return readRawToken(raw, false, authorization !== undefined);
  return readBearer(authorization, false, () => readProof(headers.get('dpop') ?? undefined, url));
}

async function cookieCaller(context: Context, request: Request, token: string, secure: boolean): Promise<Caller> {
  const credential = { token, malformed: false, proof: null };
  try {
    return await tokenCaller(context, request, credential, true);
  } catch (error) {
    // The session is over when its token is: the browser need not send it any longer. An outage is no such end.
    if (error instanceof Refusal && error.response.status === 401) {
      error.response.headers.append('set-cookie', endedCookie(secure));
    }
    throw error;
  }
}

/**
 * Who holds a token, if it is one to manage with. Its use is counted, and charged to its limits.
 *
 * @throws Refusal, Problem 403
 */
export async function tokenCaller(
  context: Context,
  { method }: Pick<Request, 'method'>,
  { token, malformed, proof }: Presented,
  ambient: boolean,
): Promise<TokenCaller> {
  const requirement = { authenticated: true } as const;
  const decision = await context.gate.authorize({ token, malformed, proof, method, requirement });
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
  return { kind: 'token', principal, grants, ambient, limit: decision.limit ?? null };
}

function refused(denial: Denied, signIn: boolean): Response {
  const { status, headers, body } = answerTo(denial);
  const { 'Content-Length': _, ...rest } = headers;
  const told = status === 401 ? JSON.stringify({ ...JSON.parse(body), sign_in: signIn }) : body;
  return new Response(told, { status, headers: rest });
}

/** @throws Problem 503 where the application can't tell: not knowing who calls is no "nobody" */
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
    throw unavailable('Who you are can not be told at the moment.');
  }
}
