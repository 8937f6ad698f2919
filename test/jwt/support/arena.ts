import { createPrivateKey, sign } from 'node:crypto';
import { generateKeyPair, importJWK, type JWK } from 'jose';
import { generateKeys, type PrivateJwk } from 'postern/jwt';
import { START } from '../../support/outcomes.js';
import { claimsIn, issueBoth, issuerWorld, resigned } from './access.js';
import { base64url } from './tokens.js';

export const NOW = START / 1000;
export const requirement = { scope: 'models:read' } as const;

/** An issuer with an EdDSA key that signs and an ES256 key that verifies, a good token, and functions that forge others. */
export async function arena() {
  const [ed] = (await generateKeys()) as [PrivateJwk];
  const [ec] = (await generateKeys({ alg: 'ES256' })) as [PrivateJwk];
  const world = issuerWorld({ keys: [ed, ec] });
  const { token, record } = await issueBoth(world);
  const good = (await world.signed.exchange(world.postern, token)).accessToken;
  const [head, body, signature] = good.split('.') as [string, string, string];
  const header = { alg: 'EdDSA', typ: 'at+jwt', kid: ed.kid };
  const key = (await importJWK(ed as unknown as JWK, 'EdDSA')) as CryptoKey;
  const nodeKey = createPrivateKey({ key: ed as never, format: 'jwk' });
  const { privateKey: strangers } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
  return {
    ...world,
    token,
    record,
    good,
    head,
    body,
    signature,
    header,
    ed,
    ec,
    strangers,
    /** Signed with the issuer's own key, with wrong claims or headers. */
    saying: (claims: object, changed: object = {}) => resigned(good, key, claims, { ...header, ...changed }),
    /** Signed with a stranger's key, by default under the issuer's kid. */
    forged: (claims: object = {}, changed: object = {}) => resigned(good, strangers, claims, { ...header, ...changed }),
    /** Signed with the issuer's own key under any header, which no library would sign. */
    honest: (changed: string | object, payload: string | object = claimsIn(good)) => {
      const input = `${base64url(changed)}.${base64url(payload)}`;
      return `${input}.${sign(null, Buffer.from(input), nodeKey).toString('base64url')}`;
    },
    /** Made of raw parts. */
    crafted: (changed: string | object, payload: string | object = claimsIn(good), sig = signature) =>
      [base64url(changed), base64url(payload), sig].join('.'),
  };
}

export type Arena = Awaited<ReturnType<typeof arena>>;
