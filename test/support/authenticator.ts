import type { AttachableAuthenticator, AuthenticatorHost, Refusal, Vouched } from 'postern';

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
