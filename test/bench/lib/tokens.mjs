/** Hot tokens in every group. A single one would flatter caches. */
export const HOT = 1_000;

/**
 * Texts that come as from a socket: a new string each time, whose hash nobody has computed yet. A benchmark that hands out
 * the same string object again and again skips the hashing of a Map's key.
 *
 * @param {string[]} texts ASCII
 */
export function freshStrings(texts) {
  const bytes = Buffer.from(texts.join(''), 'latin1');
  const ends = new Uint32Array(texts.length + 1);
  for (let i = 0; i < texts.length; i++) ends[i + 1] = ends[i] + texts[i].length;
  const count = texts.length;
  let at = 0;
  return () => {
    at = at + 1 === count ? 0 : at + 1;
    return bytes.latin1Slice(ends[at], ends[at + 1]);
  };
}

/** A few distinct grants, as teams have them. Every one reaches `summarizer` and holds `models:read`. */
export const GRANTS = [
  { user: { endpoints: '*' }, developer: { scopes: ['models:read'] } },
  { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:write'] } },
  { user: { endpoints: ['summarizer', 'translator'] }, developer: { scopes: ['models:*'] } },
  { user: { endpoints: ['search', 'summarizer'] }, developer: { scopes: ['models:read', 'bentos:write'] } },
  { user: { endpoints: ['summarizer', 'translator', 'search'] }, developer: { scopes: ['*'] } },
];

export const ENDPOINT = { endpoint: 'summarizer' };
export const SCOPE = { scope: 'models:read' };

export async function createEndpoints(postern) {
  for (const id of ['summarizer', 'translator', 'search']) await postern.endpoints.create({ id, access: 'protected' });
}

/** Makes tokens with these grants in turn and an owner each. @returns {Promise<string[]>} */
export async function createTokens(postern, count) {
  const tokens = [];
  for (let i = 0; i < count; i++) {
    const types = GRANTS[i % GRANTS.length];
    const { token } = await postern.tokens.create({ name: `token ${i}`, types, owner: `owner-${i}` });
    tokens.push(token);
  }
  return tokens;
}

/** Asks for each token once, so that the cache knows it; and proves that what will be timed is an allow. */
export async function warm(postern, tokens, requirement) {
  for (const token of tokens) {
    const decision = await postern.authorize({ token, requirement });
    if (!decision.allowed) throw new Error(`a token of the benchmark is refused: ${decision.reason}`);
  }
}

/** A requirement that is checked once. Older builds, which a run with `--dist` compares, have a call for that. */
export const prepared = (postern, requirement) => postern.prepare?.(requirement) ?? Object.freeze({ ...requirement });
