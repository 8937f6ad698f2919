import { createHash, randomBytes } from 'node:crypto';
import type { World } from './world.js';

export const CODE = '/api/v1/auth/code';
export const MINUTE = 60_000;
export const DAY = 86_400_000;

/** The grants that everyone in these tests may give. */
export const READ = { types: { developer: { scopes: ['models:read'] } } };

export const asking = (types: object) => `types=${encodeURIComponent(JSON.stringify(types))}`;

export const boundTo = (challenge: string) => `${CODE}?code_challenge=${challenge}&code_challenge_method=S256`;

export const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url');

/** A login as its terminal sees it. */
export interface Begun {
  readonly code: string;
  readonly user_code: string;
  readonly verifier: string;
}

/** A login, or the code of one without a challenge. */
export type Login = string | Begun;

const codeOf = (login: Login) => (typeof login === 'string' ? login : login.code);

/** Begins a login as BentoCloud's client does. */
export const begin = async ({ ask }: World, path = CODE): Promise<string> => (await ask(path)).body.code;

/** Begins a login as our own command does, or with a verifier that the server does not hear of. */
export async function beginLogin({ ask }: World, bound = true): Promise<Begun> {
  const verifier = randomBytes(32).toString('base64url');
  const { code, user_code } = (await ask(bound ? boundTo(challengeOf(verifier)) : CODE)).body;
  return { code, user_code, verifier };
}

export const collect = ({ ask }: World, login: Login) =>
  ask(`/api/v1/auth/token?code=${codeOf(login)}`, {
    headers: typeof login === 'string' ? {} : { 'x-postern-verifier': login.verifier },
  });

export const requestOf = (code: string, what = '') => `/api/v1/auth/requests/${code}${what}`;

export const answer = ({ ask }: World, login: Login, what: string, json: unknown, who: object = { person: 'boss' }) =>
  ask(requestOf(codeOf(login), what), { method: 'POST', json, ...who });

/** Approves a login, with its user code if it has one. */
export const approve = (world: World, login: Login, json: object = READ, who?: object) =>
  answer(world, login, '/approve', typeof login === 'string' ? json : { ...json, user_code: login.user_code }, who);

/** The token of a login, or the status and code of the refusal. */
export async function poll({ ask }: World, code: string, verifier?: string): Promise<string> {
  const headers = verifier === undefined ? {} : { 'x-postern-verifier': verifier };
  const { status, body } = await ask(`/api/v1/auth/token?code=${code}`, { headers });
  return status === 200 ? body.token : `${status} ${body.code}`;
}
