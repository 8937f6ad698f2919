import { createPublicKey } from 'node:crypto';
import { createVerifier } from 'fast-jwt';
import { importJWK, jwtVerify } from 'jose';
import { LASTING } from './cases.mjs';
import { AUDIENCE, ISSUER } from './jwts.mjs';
import { createEndpoints, createTokens, freshStrings, HOT, prepared, SCOPE, warm } from './tokens.mjs';

/** Tokens that no instance has seen yet, enough for the longest samples of a first verification. */
const UNSEEN = 2_000;

/**
 * An instance after the other that knows none of the tokens: what it answers for each of them is a first verification. The
 * making of an instance is shared by so many calls that it is not seen in them.
 */
function firstTime(tokens, makeAsk) {
  const next = freshStrings(tokens);
  let ask = makeAsk();
  let left = tokens.length;
  return () => {
    if (left-- === 0) {
      ask = makeAsk();
      left = tokens.length - 1;
    }
    return ask(next());
  };
}

/** @param {'EdDSA' | 'ES256'} alg */
export async function signedCases(alg, { createPostern, memoryStore }, { accessTokens, derive, generateKeys }) {
  const keys = await generateKeys({ alg });
  const signed = accessTokens({ issuer: ISSUER, audience: AUDIENCE, keys, expiresIn: '1h' });
  const issuing = createPostern({ store: memoryStore(), authenticators: [signed], cache: LASTING });
  await createEndpoints(issuing);
  const parents = await createTokens(issuing, HOT);
  const many = [];
  for (let i = 0; i < UNSEEN; i++) {
    many.push((await signed.exchange(issuing, parents[i % HOT], { expiresIn: '1h' })).accessToken);
  }
  const jwks = await signed.jwks();
  const verifier = accessTokens.verifier({ issuer: ISSUER, audience: AUDIENCE, jwks, parents: 'unchecked' });
  const elsewhere = () => createPostern({ store: memoryStore(), authenticators: [verifier], cache: LASTING });
  const askOf = (postern) => {
    const requirement = prepared(postern, SCOPE);
    return (token) => postern.authorize({ token, requirement });
  };
  const [jwk] = jwks.keys;
  const key = await importJWK(jwk, alg);
  const nextUnseen = freshStrings(many);
  const hot = many.slice(0, HOT);

  const warmPostern = elsewhere();
  await warm(warmPostern, hot, SCOPE);
  await warm(issuing, hot, SCOPE);
  const warmScope = prepared(warmPostern, SCOPE);
  const issuingScope = prepared(issuing, SCOPE);
  const next = freshStrings(hot);
  const nextForIssuing = freshStrings(hot);
  const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const fast = createVerifier({ key: pem, algorithms: [alg], cache: 10 * HOT, cacheTTL: 86_400_000 });
  for (const token of hot) if (fast(token).iss !== ISSUER) throw new Error('fast-jwt does not verify');
  const nextForFast = freshStrings(hot);
  const cases = {
    fast: { name: `fast-jwt ${alg}, cache on, the same tokens`, op: () => fast(nextForFast()) },
    jose: {
      name: `jose jwtVerify ${alg}`,
      async: true,
      op: () => jwtVerify(nextUnseen(), key, { issuer: ISSUER, audience: AUDIENCE, algorithms: [alg], typ: 'at+jwt' }),
    },
    first: {
      name: `postern authorize, access token ${alg}, first time`,
      async: true,
      op: firstTime(many, () => askOf(elsewhere())),
    },
    again: {
      name: `postern authorize, access token ${alg}, again`,
      async: true,
      op: () => warmPostern.authorize({ token: next(), requirement: warmScope }),
    },
    tryAgain: {
      name: `postern tryAuthorize, access token ${alg}, again`,
      op: () => warmPostern.tryAuthorize({ token: next(), requirement: warmScope }),
    },
    tryWithParent: {
      name: `postern tryAuthorize, access token ${alg}, again, its parent checked`,
      op: () => issuing.tryAuthorize({ token: nextForIssuing(), requirement: issuingScope }),
    },
  };
  if (alg !== 'EdDSA') return cases;

  const derived = [];
  for (let i = 0; i < UNSEEN; i++)
    derived.push(await derive(parents[i % HOT], { scopes: ['models:read'], expiresIn: '1h' }));
  await warm(issuing, derived.slice(0, HOT), SCOPE);
  const nextDerived = freshStrings(derived.slice(0, HOT));
  return {
    ...cases,
    tryDerived: {
      name: 'postern tryAuthorize, derived token, again',
      op: () => issuing.tryAuthorize({ token: nextDerived(), requirement: issuingScope }),
    },
    derivedAgain: {
      name: 'postern authorize, derived token, again',
      async: true,
      op: () => issuing.authorize({ token: nextDerived(), requirement: issuingScope }),
    },
  };
}

/** What the public half that is written with each secret costs: with it, alone, and in a runtime without Ed25519. */
export async function creationCases({ createPostern, memoryStore }, loadInternals) {
  const { derivedKeyOf } = await loadInternals(`export { derivedKeyOf } from './src/base/derived-key.ts';`);
  const types = { developer: { scopes: ['models:read'] } };
  const creating = () => {
    const store = { ...memoryStore(), insertTokens: async () => [true] };
    const postern = createPostern({ store });
    return () => postern.tokens.create({ name: 'x', types });
  };
  const create = creating();
  const { token } = await create();
  const bare = creating();
  const { subtle } = globalThis.crypto;
  const unsupported = async () => {
    throw Object.assign(new Error('not here'), { name: 'NotSupportedError' });
  };
  return {
    create: { name: 'tokens.create, nothing stored', async: true, op: create },
    withoutKey: {
      name: 'tokens.create, nothing stored, without its key',
      async: true,
      op: async () => {
        // The import of a key is what fails where there is no Ed25519; HKDF is still done.
        Object.defineProperty(subtle, 'importKey', { value: unsupported, configurable: true });
        try {
          return await bare();
        } finally {
          delete subtle.importKey;
        }
      },
    },
    key: { name: 'derivedKeyOf alone', async: true, op: () => derivedKeyOf(token) },
  };
}
