import { createHmac } from 'node:crypto';
import { CompactSign, importJWK } from 'jose';
import { accessTokens, derive, generateKeys, type PrivateJwk } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';

/** One hop with one call, and what every verifier says. */
export interface Vector {
  readonly name: string;
  readonly hop: string;
  readonly method: string;
  readonly target: string;
  /** Epoch seconds. */
  readonly now: number;
  readonly accepted: boolean;
}

export interface Vectors {
  readonly issuer: string;
  readonly audience: string;
  readonly jwks: { readonly keys: readonly object[] };
  readonly vectors: readonly Vector[];
}

const ISSUER = 'https://auth.acme.test';
const AUDIENCE = 'acme/summarizer';
const NOW = 1_800_000_000;
const TARGET = '/v1/summarize';

type Json = Readonly<Record<string, unknown>>;

const CLAIMS: Json = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'tok_1',
  owner: 'ada',
  organization: 'acme',
  types: ['user'],
  scope: 'models:read',
  endpoints: ['summarizer'],
  htm: 'POST',
  htu: `https://summarizer.acme.cloud.test${TARGET}`,
  iat: NOW,
  exp: NOW + 30,
};

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The table of hops: the same for every language. Signed now, with new keys. */
export async function makeVectors(): Promise<Vectors> {
  const [[first], [second], [stranger], [elliptic]] = await Promise.all([
    generateKeys(),
    generateKeys(),
    generateKeys(),
    generateKeys({ alg: 'ES256' }),
  ]);
  if (!first || !second || !stranger || !elliptic) throw new Error('no keys');

  const sign = async (claims: Json, header: Json = {}, key: PrivateJwk = first) => {
    const full = Object.entries({ alg: key.alg, typ: 'postern-hop+jwt', kid: key.kid, ...header });
    return new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader(Object.fromEntries(full.filter(([, value]) => value !== undefined)) as never)
      .sign(await importJWK(key as never, key.alg), { crit: { b64: true, exp: true } } as never);
  };
  const without = (name: string) => Object.fromEntries(Object.entries(CLAIMS).filter(([each]) => each !== name));
  const good = await sign(CLAIMS);
  const [head = '', payload = '', signature = ''] = good.split('.');

  const vectors: Vector[] = [];
  const add = (accepted: boolean, name: string, hop: string, call: Partial<Vector> = {}) =>
    vectors.push({ name, hop, method: 'POST', target: TARGET, now: NOW + 1, ...call, accepted });
  const accept = (...rest: [string, string, Partial<Vector>?]) => add(true, ...rest);
  const refuse = (...rest: [string, string, Partial<Vector>?]) => add(false, ...rest);

  accept('the call itself', good);
  accept('with a query', good, { target: `${TARGET}?lang=de` });
  accept('with its whole address', good, { target: `http://10.0.0.9:3000${TARGET}` });
  accept('of a second key', await sign(CLAIMS, {}, second));
  accept('by a clock that is 4 seconds behind', good, { now: NOW - 4 });
  accept('4 seconds after its end', good, { now: NOW + 34 });
  accept('for an odd path', await sign({ ...CLAIMS, htu: 'http://a.test//v1;x=%2F%20' }), { target: '//v1;x=%2F%20' });
  accept('of nobody’s token', await sign({ ...CLAIMS, owner: null }));
  accept('for all endpoints', await sign({ ...CLAIMS, endpoints: '*' }));
  accept('for a gRPC method', await sign({ ...CLAIMS, htu: 'http://a.test/bento.Summarizer/Summarize' }), {
    target: '/bento.Summarizer/Summarize',
  });

  refuse('with another method', good, { method: 'GET' });
  refuse('with its method in lower case', good, { method: 'post' });
  for (const target of [
    '/',
    '/v1',
    `${TARGET}/`,
    '/V1/summarize',
    `/${TARGET}`,
    '/v1/%73ummarize',
    '',
    'v1/summarize',
  ]) {
    refuse(`replayed to ${JSON.stringify(target)}`, good, { target });
  }
  refuse('replayed to a path in a query', good, { target: `/?${TARGET}` });
  refuse('6 seconds after its end', good, { now: NOW + 36 });
  refuse('5 seconds after its end, to the second', good, { now: NOW + 35 });
  refuse('by a clock that is 6 seconds behind', good, { now: NOW - 6 });
  refuse('that lives too long', await sign({ ...CLAIMS, exp: NOW + 31 }));
  refuse('of another issuer', await sign({ ...CLAIMS, iss: 'https://auth.evil.test' }));
  refuse('for another endpoint', await sign({ ...CLAIMS, aud: 'acme/translator' }));
  refuse('for the endpoint of another organization', await sign({ ...CLAIMS, aud: 'other/summarizer' }));
  refuse('for a list of services', await sign({ ...CLAIMS, aud: [AUDIENCE] }));
  for (const name of Object.keys(CLAIMS).filter((each) => each !== 'owner'))
    refuse(`without ${name}`, await sign(without(name)));
  for (const [name, value] of [
    ['sub', ''],
    ['sub', 1],
    ['owner', 1],
    ['organization', ''],
    ['types', 'user'],
    ['scope', ['models:read']],
    ['endpoints', 'summarizer'],
    ['endpoints', null],
    ['htm', null],
    ['htu', TARGET],
    ['htu', `ftp://a.test${TARGET}`],
    ['htu', `x https://a.test${TARGET}`],
    ['iat', String(NOW)],
    ['exp', String(NOW + 30)],
    ['exp', null],
    ['exp', true],
  ] as const) {
    refuse(`with ${name}: ${JSON.stringify(value)}`, await sign({ ...CLAIMS, [name]: value }));
  }

  refuse('signed by a stranger', await sign(CLAIMS, { kid: first.kid }, stranger));
  refuse('of an unknown key', await sign(CLAIMS, {}, stranger));
  refuse('under another key’s name', await sign(CLAIMS, { kid: second.kid }));
  refuse('without a key’s name', await sign(CLAIMS, { kid: undefined }));
  refuse('with a payload that was changed', [head, encode({ ...CLAIMS, owner: 'root' }), signature].join('.'));
  refuse('with a signature that was changed', `${head}.${payload}.${flipped(signature)}`);
  refuse('without a signature', `${head}.${payload}.`);
  refuse('of two parts', `${head}.${payload}`);
  const unsigned = encode({ alg: 'none', typ: 'postern-hop+jwt', kid: first.kid });
  refuse('with alg none', `${unsigned}.${payload}.`);
  refuse('with alg none and a signature', `${unsigned}.${payload}.${signature}`);
  const symmetric = `${encode({ alg: 'HS256', typ: 'postern-hop+jwt', kid: first.kid })}.${payload}`;
  const mac = createHmac('sha256', Buffer.from(first.x, 'base64url')).update(symmetric).digest('base64url');
  refuse('with the public key as a secret', `${symmetric}.${mac}`);
  refuse('of ES256', await sign(CLAIMS, {}, elliptic));
  const { d: _, ...published } = stranger;
  refuse('with its own key', await sign(CLAIMS, { jwk: published, kid: stranger.kid }, stranger));
  refuse('with an extension', await sign(CLAIMS, { crit: ['exp'], exp: NOW + 30 }));
  for (const typ of ['JWT', 'at+jwt', 'dpop+jwt', 'application/postern-hop+jwt', undefined]) {
    refuse(`of type ${typ}`, await sign(CLAIMS, { typ }));
  }
  refuse('with padding', `${good}=`);
  refuse('in another spelling', `${head}.${payload}.${respelt(signature)}`);
  refuse('with a space', good.replace('.', ' .'));
  refuse('with a line feed', good.replace('.', '\n.'));
  refuse('twice', `${good}, ${good}`);
  refuse('as a list that begins with none', `, ${good}`);
  refuse('that is empty', '');
  refuse('of 10 KiB', await sign({ ...CLAIMS, pad: 'x'.repeat(10_240) }));

  const signed = accessTokens({ issuer: ISSUER, audience: AUDIENCE, keys: [first] });
  const { postern, token } = createTestPostern({ now: new Date(NOW * 1000), authenticators: [signed] });
  const apiToken = await token({ endpoints: ['summarizer'], scopes: ['models:read'] });
  const { accessToken } = await signed.exchange(postern, apiToken, { expiresIn: '30s' });
  refuse('that is an access token of the same keys', accessToken);
  refuse('that is an API token', apiToken);
  refuse('that is a derived token', await derive(apiToken, { endpoints: ['summarizer'], expiresIn: '30s' }));

  const keys = [first, second, elliptic].map(({ d: _, ...jwk }) => jwk);
  return { issuer: ISSUER, audience: AUDIENCE, jwks: { keys }, vectors };
}

function flipped(signature: string): string {
  return (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
}

/** The same bytes in another spelling: 64 bytes leave four unused bits in the last character. */
function respelt(signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return signature.slice(0, -1) + alphabet[alphabet.indexOf(signature.at(-1) as string) + 1];
}
