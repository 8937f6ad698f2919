import { hkdfSync, sign } from 'node:crypto';
import { derive } from 'postern/jwt';
import { createTestPostern, type TestPosternOptions } from 'postern/testing';
import { type Attempt, verdict } from './outcomes.js';

/** A token with every kind of grant, and a function that derives from it on the same clock. */
export async function derivingWorld(options: TestPosternOptions = {}) {
  const made = createTestPostern(options);
  const { postern, clock } = made;
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  await postern.endpoints.create({ id: 'other', access: 'protected' });
  const { token, record } = await postern.tokens.create({
    name: 'parent',
    owner: 'ann',
    types: { user: { endpoints: ['summarizer', 'other'] }, developer: { scopes: ['models:write', 'iam:*'] } },
    expiresIn: '1d',
  });
  const narrow = (given: Parameters<typeof derive>[1] = {}, from = token) =>
    derive(from, { clock: clock.now, ...given });
  const ask = async (text: string, requirement: Attempt['requirement'], more: Partial<Attempt> = {}) =>
    verdict(await postern.authorize({ token: text, requirement, ...more }));
  return { ...made, token, record, narrow, ask };
}

/** The value of a part of a JWT. */
export const json = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString());

/** The derived key, computed independently by Node's HKDF and Ed25519. */
function keyOf(token: string) {
  const seed = hkdfSync('sha256', token, '', 'postern derived token, Ed25519 seed, version 1', 32);
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed)]);
  return { key: pkcs8, format: 'der', type: 'pkcs8' } as const;
}

/** Signs any header and claims with a token's own key. */
export function forge(token: string, header: string, claims: unknown): string {
  const signed = [header, JSON.stringify(claims)].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return `${signed}.${sign(null, Buffer.from(signed), keyOf(token)).toString('base64url')}`;
}
