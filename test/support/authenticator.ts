import { bentocloudTokenTypes } from 'postern';
import { compileGrants } from '../../src/domain/grants.js';
import { compileCatalog } from '../../src/domain/token-types.js';
import type { Authenticator, AuthenticatorHost, Refusal, Vouched } from '../../src/ports/authenticator.js';
import { START } from './instance.js';

const catalog = compileCatalog(bentocloudTokenTypes);
const NEVER = START + 1e12;

/** What looks like a JWT, and is told from others by its name. */
export const jwt = (name: string) => `eyJhbGciOiJFUzI1NiJ9.${Buffer.from(name).toString('base64url')}.c2ln`;

/** A token that someone vouches for: for as long as the tests run, with one scope, bound to nothing. */
export function vouch(
  more: Partial<Omit<Vouched, 'principal'>> & { scopes?: string[]; tokenId?: string } = {},
): Vouched {
  const { scopes = ['models:read'], tokenId = 'ext_1', ...rest } = more;
  const grants = compileGrants({ developer: { scopes } }, catalog);
  return {
    principal: { tokenId, owner: 'ann', ownership: 'personal', organization: 'default', grants },
    expiresAt: NEVER,
    trustedUntil: NEVER,
    parent: null,
    methods: null,
    prove: null,
    ...rest,
  };
}

/** An authenticator that answers as it is told, and counts. */
export function scripted(
  answer: (token: string, now: number) => Vouched | Refusal | Promise<Vouched | Refusal>,
  only?: string,
) {
  const seen: string[] = [];
  const hosts: AuthenticatorHost[] = [];
  let closed = 0;
  const authenticator: Authenticator = {
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
