import { randomBytes } from 'node:crypto';
import { formatToken, SECRET_BYTES } from '../../../src/domain/token-format.js';
import { pause, sharedClock } from '../lib/numbers.js';
import { openPostern, REQUIREMENT, type StoreName } from '../lib/stores.js';
import { answer } from '../lib/workers.js';

/** What a token is, and so what may be said of it, besides that the store can't be asked. */
const RIGHT = {
  good: ['allowed'],
  revoked: ['token_revoked'],
  garbage: ['token_unknown'],
  /** Good until it is revoked: the other process knows when that was. */
  doomed: ['allowed', 'token_revoked'],
} as const;
type Kind = keyof typeof RIGHT;

/** A server under load that goes through outages of its store, and keeps count of what it answered. */
const [name, address, ttl] = process.argv.slice(2) as [StoreName, string, string];
const postern = openPostern(name, address, { cache: { ttl: `${Number(ttl)}ms` } });
const requirement = Object.freeze(REQUIREMENT);

let tokens: Record<'good' | 'revoked', string[]> = { good: [], revoked: [] };
let isServing = false;
let work = Promise.resolve();
/** `kind:verdict` → how often. */
let counts: Record<string, number> = {};
let wrong: object[] = [];
let doomed: { token: string; lastAllowed: number; refusedAt: number | null } | null = null;
let lastUnavailable: number | null = null;
let lastAllowed = 0;
let longest = 0;

async function call(kind: Kind, token: string): Promise<void> {
  const begun = sharedClock();
  const decision = await postern.authorize({ token, requirement });
  const ended = sharedClock();
  longest = Math.max(longest, ended - begun);
  const verdict = decision.allowed ? 'allowed' : decision.reason;
  counts[`${kind}:${verdict}`] = (counts[`${kind}:${verdict}`] ?? 0) + 1;
  if (verdict === 'unavailable') lastUnavailable = ended;
  else if (!(RIGHT[kind] as readonly string[]).includes(verdict)) wrong.push({ kind, verdict, begun, ended });
  if (kind === 'good' && decision.allowed) lastAllowed = ended;
  if (kind === 'doomed' && doomed?.token === token) judgeDoomed(verdict, begun, ended);
}

function judgeDoomed(verdict: string, begun: number, ended: number): void {
  if (doomed === null) return;
  if (verdict === 'token_revoked') doomed.refusedAt ??= ended;
  if (verdict !== 'allowed') return;
  // One call may overtake another: it is when a call began that counts.
  doomed.lastAllowed = Math.max(doomed.lastAllowed, begun);
  if (begun > (doomed.refusedAt ?? begun)) wrong.push({ kind: 'doomed', verdict: 'revived', begun, ended });
}

const unknown = () => formatToken('pst', new Uint8Array(randomBytes(SECRET_BYTES)));
const everUnknown = unknown();
const spoilt = (token: string) => token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');

async function serve(): Promise<void> {
  for (let index = 0; isServing; index++) {
    const pick = (kind: 'good' | 'revoked', offset: number) =>
      tokens[kind][(index * 10 + offset) % tokens[kind].length] as string;
    const calls = [
      ...Array.from({ length: 10 }, (_, offset) => call('good', pick('good', offset))),
      ...Array.from({ length: 5 }, (_, offset) => call('revoked', pick('revoked', offset))),
      ...[unknown(), everUnknown, spoilt(pick('good', 0)), `Bearer ${index}`].map((token) => call('garbage', token)),
    ];
    if (doomed !== null) calls.push(call('doomed', doomed.token));
    await Promise.all(calls);
    await pause(5);
  }
}

answer(
  {
    begin(given: typeof tokens) {
      tokens = given;
      isServing = true;
      work = serve();
    },
    /** From now on calls come with this token too. Resolves when it was allowed. */
    async doom(token: string) {
      doomed = { token, lastAllowed: 0, refusedAt: null };
      await call('doomed', token);
      return doomed.lastAllowed > 0;
    },
    state: () => ({
      now: sharedClock(),
      lastUnavailable,
      lastAllowed,
      lastDoomed: doomed?.lastAllowed,
      isRefused: doomed !== null && doomed.refusedAt !== null,
    }),
    /** What was counted since the last time. */
    counts() {
      const given = { counts, wrong, longest };
      counts = {};
      wrong = [];
      longest = 0;
      lastUnavailable = null;
      return given;
    },
    async rest() {
      isServing = false;
      await work;
    },
  },
  () => postern.close(),
);
