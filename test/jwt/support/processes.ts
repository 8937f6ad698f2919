import { createHash } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import type { Store } from 'postern/store';
import { controlledStore, testClock } from 'postern/testing';
import { START, verdict } from '../../support/outcomes.js';
import { AUTH, issueBoth, issuerWorld } from './access.js';

/** The key of the entry of the signing keys. */
export const ENTRY = createHash('sha256').update(AUTH).digest('base64url');
const requirement = { scope: 'models:read' } as const;

export const kidOf = (token: string) => decodeProtectedHeader(token).kid;
/** The stored entry of the signing keys. */
export const entryOf = async (store: Store) => {
  const entry = await store.findEntry('signing_keys', ENTRY, START);
  if (entry === null) throw new Error('there is no entry');
  return entry;
};

/** Processes that share a store and its signing keys. */
export async function processes(count: number, options: object = {}, store = controlledStore()) {
  const clock = testClock();
  const worlds = Array.from({ length: count }, () => issuerWorld(options, { store, clock }));
  const [first] = worlds as [World];
  const { token } = await issueBoth(first);
  const exchanges = worlds.map(
    ({ signed, postern }) =>
      async () =>
        (await signed.exchange(postern, token)).accessToken,
  );
  const asks = worlds.map(
    ({ postern }) =>
      async (accessToken: string) =>
        verdict(await postern.authorize({ token: accessToken, requirement })),
  );
  const published = async (index = 0) => (await worlds[index]?.signed.jwks())?.keys.map(({ kid }) => kid);
  return { first, worlds, exchanges, asks, published, store, clock, token };
}

type World = ReturnType<typeof issuerWorld>;
export type Exchange = () => Promise<string>;
export type Ask = (token: string) => Promise<string>;
