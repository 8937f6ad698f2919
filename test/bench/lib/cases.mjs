import { createVerifier } from 'fast-jwt';
import { makeJwts } from './jwts.mjs';
import { createEndpoints, createTokens, ENDPOINT, freshStrings, HOT, prepared, SCOPE, warm } from './tokens.mjs';

/** A cache that no sample outlives: what is measured is a hit. */
export const LASTING = { ttl: '1h' };

/** Warm verification of hot API tokens by the given build of postern. */
export async function posternCases({ createPostern, memoryStore }) {
  const postern = createPostern({ store: memoryStore(), cache: LASTING });
  await createEndpoints(postern);
  const tokens = await createTokens(postern, HOT);
  await warm(postern, tokens, ENDPOINT);
  const next = freshStrings(tokens);
  const zone = 'external';
  const endpoint = prepared(postern, ENDPOINT);
  const scope = prepared(postern, SCOPE);
  const expected = postern.tryAuthorize({ token: tokens[0], zone, requirement: scope });
  if (expected?.allowed !== true) throw new Error('the warm path does not answer');
  return {
    string: { name: 'the string alone, API token', op: next },
    tryEndpoint: {
      name: 'postern tryAuthorize, endpoint',
      op: () => postern.tryAuthorize({ token: next(), zone, requirement: endpoint }),
    },
    tryScope: {
      name: 'postern tryAuthorize, scope',
      op: () => postern.tryAuthorize({ token: next(), zone, requirement: scope }),
    },
    tryRaw: {
      name: 'postern tryAuthorize, endpoint, not prepared',
      op: () => postern.tryAuthorize({ token: next(), zone, requirement: { endpoint: 'summarizer' } }),
    },
    tryRawScope: {
      name: 'postern tryAuthorize, scope, not prepared',
      op: () => postern.tryAuthorize({ token: next(), zone, requirement: { scope: 'models:read' } }),
    },
    endpoint: {
      name: 'postern authorize, endpoint',
      async: true,
      op: () => postern.authorize({ token: next(), zone, requirement: endpoint }),
    },
    scope: {
      name: 'postern authorize, scope',
      async: true,
      op: () => postern.authorize({ token: next(), zone, requirement: scope }),
    },
  };
}

/** fast-jwt with its cache on and warm: verification only, no decision. @param {'RS256' | 'ES256'} algorithm */
export function fastJwtCases(algorithm) {
  const { tokens, publicPem } = makeJwts(algorithm, HOT);
  const verify = createVerifier({ key: publicPem, algorithms: [algorithm], cache: 10 * HOT, cacheTTL: 86_400_000 });
  for (const token of tokens) if (verify(token).org !== 'default') throw new Error('fast-jwt does not verify');
  const next = freshStrings(tokens);
  return {
    string: { name: `the string alone, JWT ${algorithm}`, op: next },
    verify: { name: `fast-jwt ${algorithm}, cache on`, op: () => verify(next()) },
  };
}
