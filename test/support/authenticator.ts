import type { AttachableAuthenticator, AuthenticatorHost, Refusal, Vouched } from 'postern';
import { createTestPostern } from 'postern/testing';
import type { Mode } from '../../src/instance/internals.js';
import { gateOf } from './gate.js';
import { type Attempt, verdict } from './outcomes.js';

/** A text in the form of a JWT, different for each name. */
export const jwt = (name: string) => `eyJhbGciOiJFUzI1NiJ9.${Buffer.from(name).toString('base64url')}.c2ln`;

/** An answer that never ends and has one scope, with changes. */
export function vouch({ scopes = ['models:read'], ...more }: Partial<Vouched> & { scopes?: string[] } = {}): Vouched {
  return { types: { developer: { scopes } }, owner: 'ann', endsAt: null, trustedFor: '52w', tokenId: 'ext_1', ...more };
}

/** An authenticator that gives scripted answers and records its calls. */
export function scripted(
  answer: (token: string, now: number) => Vouched | Refusal | Promise<Vouched | Refusal>,
  only?: string,
) {
  const seen: string[] = [];
  const hosts: AuthenticatorHost[] = [];
  let closed = 0;
  const authenticator: AttachableAuthenticator = {
    attach(host) {
      hosts.push(host);
      return {
        accepts: (token) => only === undefined || token === jwt(only),
        async authenticate(token, now) {
          seen.push(token);
          return answer(token, now);
        },
        close() {
          closed++;
        },
      };
    },
  };
  return { authenticator, seen, hosts, closed: () => closed };
}

/** What a scripted answer grants by default. */
export const need = { scope: 'models:read' } as const;

/** An instance with these authenticators. */
export function scriptedWorld(...scripts: ReturnType<typeof scripted>[]) {
  const made = createTestPostern({ authenticators: scripts.map(({ authenticator }) => authenticator) });
  const ask = async (token: string, more: Partial<Attempt> = {}, mode?: Mode) =>
    verdict(await gateOf(made.postern).authorize({ token, requirement: need, ...more }, mode));
  return { ...made, ask };
}
