import { pause, sharedClock } from '../lib/numbers.js';
import { openPostern, REQUIREMENT, type StoreName } from '../lib/stores.js';
import { answer } from '../lib/workers.js';

/**
 * The second process: holds tokens in its cache, serves traffic when told to, and says when it first refused a token that
 * the first process has revoked.
 */
const [name, address, ttl] = process.argv.slice(2) as [StoreName, string, string];
const postern = openPostern(name, address, { cache: { ttl: `${Number(ttl)}ms` } });
const requirement = Object.freeze(REQUIREMENT);
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

let traffic = Promise.resolve();
let isServing = false;
let served = 0;
let refused = 0;

/** Some calls at once, then a pause: a busy server, not a saturated one. */
async function serve(tokens: readonly string[]): Promise<void> {
  for (let index = 0; isServing; ) {
    for (let call = 0; call < 20; call++) {
      const token = tokens[index++ % tokens.length];
      const decision = await postern.authorize({ token, requirement });
      served++;
      if (!decision.allowed) refused++;
    }
    await pause(4);
  }
}

/** Asks until it is refused. Each turn gives the event loop the time to read what has arrived, as a server's would. */
async function untilRefused(token: string, giveUpAt: number) {
  for (;;) {
    const decision = postern.tryAuthorize({ token, requirement }) ?? (await postern.authorize({ token, requirement }));
    const at = sharedClock();
    if (!decision.allowed) return { at, reason: decision.reason };
    if (at > giveUpAt) return { at, reason: null };
    await nextTurn();
  }
}

let watched: ReturnType<typeof untilRefused> | null = null;

answer(
  {
    clock: () => sharedClock(),
    /** Resolves once the token is in the cache, and is asked for all the time. */
    async watch({ token, patience }: { token: string; patience: number }) {
      await postern.authorize({ token, requirement });
      const decision = postern.tryAuthorize({ token, requirement });
      if (!decision?.allowed) throw new Error(`the token is not warm: ${JSON.stringify(decision)}`);
      watched = untilRefused(token, sharedClock() + patience);
    },
    refusal: () => watched,
    serve(tokens: readonly string[]) {
      isServing = true;
      served = 0;
      traffic = serve(tokens);
    },
    async rest() {
      isServing = false;
      await traffic;
      return { served, refused };
    },
  },
  () => postern.close(),
);
