import { pathOfTarget } from '../../src/base/target.js';
import { escapeInvisible, quote, redact } from '../../src/domain/text.js';
import { guard } from '../../src/entries/fetch.js';
import { createPostern, memoryStore } from '../../src/entries/index.js';
import { accessTokens, generateKeys } from '../../src/entries/jwt.js';
import { managementApi } from '../../src/entries/management.js';
import { clientAddress } from '../../src/entries/zones.js';
import { readCompact } from '../../src/jwt/compact.js';

/* Feeds long texts to everything that reads what a stranger sends, and says what it is about to do. */

const size = Number(process.argv[2]);
delete process.env.NODE_ENV;

const PIECES = [
  ...' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~aZ0',
  '\t',
  'ä',
  'e',
  ...['/a', '/.', '/..', '/%2e', '%', '%2f', '%ff', '//', 'a&', 'a=&', '&a', '=', ';a=', 'postern_session=x;'],
  ...['Bearer ', 'bearer,', ',bearer', ' ,', 'a,', 'ey-', 'eyJhbGci.', 'a.', '-', '_', 'a.a-', 'a://', '://@'],
  ...['::', ':0', '1.', '::ffff:', '[', '[[', '{"a":', '["', '"\\', 'pst_', 'pst_a', 'iam:', ':*', '\u202e', '\ud83d'],
];

const store = memoryStore();
const tokens = accessTokens({
  issuer: 'https://auth.acme.dev',
  audience: 'https://api.acme.dev',
  keys: await generateKeys(),
});
const postern = createPostern({ store });
const api = managementApi(postern, { session: true, accessTokens: tokens, onError: () => {} });
const guarded = guard(postern, { scope: 'models:read' }, () => new Response());
const addressOf = clientAddress({ trustedProxies: ['127.0.0.1'] });

/** A header takes no character beyond one byte. */
const inHeader = (text: string) => text.replace(/[^\x20-\x7e\t]/g, '?');

/** No lone surrogate: none can be sent. */
const wellFormed = (text: string) => text.replace(/\p{Cs}/gu, '?');

const ask = async (path: string, headers: Record<string, string> = {}, body?: string) => {
  const method = body === undefined ? 'GET' : 'POST';
  const request = new Request(`http://acme.dev${path}`, { method, headers, ...(body !== undefined && { body }) });
  const { status } = await api(request);
  if (status === 500) throw new Error('a fault');
};
const json = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const GRANT =
  'grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=urn:ietf:params:oauth:token-type:access_token';

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  'a path': (text) => ask(`/${text}`),
  'a path below the API': (text) => ask(`/api/v1/api_tokens/${text}`),
  'a path before the API': (text) => ask(`/${text}/api/v1/api_tokens`),
  'a target': (text) => [pathOfTarget(text), pathOfTarget(`/${text}`), pathOfTarget(`http://${text}/`)],
  'a query': (text) => ask(`/api/v1/api_tokens?${text}`),
  Authorization: async (text) => {
    const authorization = inHeader(text);
    await ask('/api/v1/api_tokens', { authorization });
    await ask('/api/v1/api_tokens', { authorization: `Bearer ${authorization}` });
    await guarded(new Request('http://acme.dev', { headers: { authorization } }));
    await guarded(
      new Request('http://acme.dev', { headers: { authorization: `DPoP ${authorization}`, dpop: authorization } }),
    );
  },
  'the header of raw tokens': (text) => ask('/api/v1/api_tokens', { 'x-yatai-api-token': inHeader(text) }),
  Cookie: (text) => ask('/api/v1/api_tokens', { cookie: inHeader(text) }),
  'Content-Type': (text) => ask('/oauth/token', { 'content-type': inHeader(text) }, 'a=b'),
  'If-None-Match': (text) => ask('/.well-known/jwks.json', { 'if-none-match': inHeader(text) }),
  'X-Forwarded-For': (text) =>
    addressOf({ headers: { 'x-forwarded-for': inHeader(text) }, socket: { remoteAddress: '127.0.0.1' } } as never),
  'a body of JSON': (text) => ask('/api/v1/session', json, text.slice(0, 60_000)),
  'a token in a body': (text) => ask('/api/v1/session', json, JSON.stringify({ token: text.slice(0, 30_000) })),
  'a form': (text) => ask('/oauth/token', form, text.slice(0, 60_000)),
  'what an exchange asks for': async (text) => {
    const field = encodeURIComponent(wellFormed(text.slice(0, 15_000)));
    for (const name of ['subject_token', 'scope', 'authorization_details', 'resource']) {
      await ask('/oauth/token', form, `${GRANT}${name === 'subject_token' ? '' : '&subject_token=x'}&${name}=${field}`);
    }
  },
  'what a login asks for': async (text) => {
    const named = (types: object) => `/api/v1/auth/code?types=${encodeURIComponent(JSON.stringify(types))}`;
    const long = wellFormed(text);
    await ask(`/api/v1/auth/code?types=${encodeURIComponent(long)}`);
    await ask(named({ developer: { scopes: [long] } }));
    await ask(named({ developer: { scopes: long.split('').slice(0, 10_000) } }));
    await ask(named({ user: { endpoints: [long] } }));
    await ask(named({ [long]: {} }));
    await ask(`/api/v1/auth/code?code_challenge_method=S256&code_challenge=${encodeURIComponent(long)}`);
  },
  'the code of a login': (text) => ask(`/api/v1/auth/token?code=${encodeURIComponent(wellFormed(text))}`),
  'a signed token': (text) => [readCompact(text), readCompact(text, { allowJwk: true })],
  'a text that is shown': (text) => [quote(text), escapeInvisible(text), redact(text)],
};

for (const [name, read] of Object.entries(READERS)) {
  for (const piece of PIECES) {
    for (const text of [
      piece.repeat(Math.ceil(size / piece.length)),
      `a${piece.repeat(Math.ceil(size / piece.length))}!`,
    ]) {
      process.send?.(`${name}: ${JSON.stringify(piece)}`);
      await read(text);
    }
  }
}
process.send?.('done', () => process.exit());
