import type { Session, Token } from '../../wire/types.js';
import { call } from './api.js';

/** @throws ApiError (401: nobody is signed in), Unreachable */
export function readSession(): Promise<Session> {
  return call<Session>('GET', 'api/v1/session');
}

let registered: (() => void) | null = null;

/** Signs in without leaving the page; `null` if the application signs people in. */
export function signInAgain(): (() => void) | null {
  return registered;
}

export function offerSignInAgain(open: (() => void) | null): void {
  registered = open;
}

type Owned = Pick<Token, 'owner' | 'is_organization_token'>;

/** Whether the caller may change and delete this token. */
export function mayManage({ can, owner }: Session, token: Owned): boolean {
  return can.manageTokens || (can.manageOwn && isOwn(owner, token));
}

/** Whether the caller may rotate it. The secret of another's personal token would let the caller act as them. */
export function mayRotate(session: Session, token: Owned): boolean {
  const speaksForAnother = !token.is_organization_token && token.owner !== null && token.owner !== session.owner;
  return mayManage(session, token) && !speaksForAnother;
}

/** Whether the caller may make tokens at all. */
export function mayCreate({ can }: Session): boolean {
  return can.manageOwn || can.manageTokens;
}

function isOwn(owner: string | null, token: Owned): boolean {
  return !token.is_organization_token && token.owner !== null && token.owner === owner;
}
