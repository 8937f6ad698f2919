import type { Forgetting } from '../base/forgetting.js';
import type { Ground } from '../base/ground.js';
import { delay } from '../base/runtime.js';
import type { Authenticator } from '../ports/authenticator.js';
import { Authorizer } from './authorizer.js';
import { EndpointDirectory } from './endpoint-directory.js';
import type { Holding } from './holding.js';
import { TokenCache } from './token-cache.js';
import { UsageRecorder } from './usage.js';

/** The deciding room, as the instance sees it. */
export interface Deciding {
  readonly authorizer: Authorizer;
  readonly holding: Holding;
  readonly forgetting: Forgetting;
  /** Writes the waiting uses. */
  flush(): Promise<void>;
  /** Ends the leases, writes the waiting uses, stops listening to the store, and clears the caches. */
  close(): Promise<void>;
}

export function createDeciding(ground: Ground, authenticators: readonly Authenticator[]): Deciding {
  const { settings, store, reads, time, events } = ground;
  const cache = new TokenCache(settings.cache);
  const directory = new EndpointDirectory(reads, settings.cache);
  const usage = new UsageRecorder(store, events);
  const authorizer = new Authorizer(ground, { cache, directory, usage, authenticators });
  const holding: Holding = { ground, authorizer, cache, directory, leases: null, closed: false };

  // Uses the latest time that was read, so that a failing clock can't stop a revocation.
  const forgetToken = (id: string) => {
    cache.invalidate(id, time.latest);
    holding.leases?.lookAtToken(id);
  };
  const forgetEndpoints = (organization: string) => {
    directory.invalidate(organization);
    holding.leases?.lookAtEndpoints(organization);
  };
  const forgetAll = () => {
    cache.clear();
    directory.clear();
    holding.leases?.lookAtAll();
  };
  const setFeed = (connected: boolean) => {
    cache.setFeed(connected);
    directory.setFeed(connected);
    holding.leases?.lookAtAll();
    events.observer?.feed(connected);
    events.emit({ type: 'feed', at: new Date(settings.clock()), connected });
  };
  time.listen({
    setBack() {
      forgetAll();
      events.fault('clock', new Error('the clock was set back: the caches were cleared'), time.latest);
    },
    believed() {
      events.fault('clock', new Error('the clock was far ahead, came back, and is trusted again'), time.latest);
    },
  });
  const unsubscribe = store.subscribe?.((invalidation) => {
    if ('at' in invalidation && invalidation.at !== undefined) events.observer?.heard(invalidation.at);
    switch (invalidation.kind) {
      case 'token':
        return forgetToken(invalidation.id);
      case 'endpoints':
        return forgetEndpoints(invalidation.organization);
      case 'everything':
        return forgetAll();
      case 'lost':
        setFeed(false);
        return events.fault('feed', invalidation.error, time.latest);
      case 'restored':
        setFeed(true);
        return forgetAll();
    }
  });

  const unwatch = store.mirror?.watch({
    used(isUsed, error) {
      events.emit({ type: 'reader', at: new Date(settings.clock()), used: isUsed });
      if (!isUsed) events.fault('reader', error, time.latest);
    },
    answered: (by) => events.observer?.mirrored(by),
  });

  return {
    authorizer,
    holding,
    forgetting: {
      token: forgetToken,
      endpoints: forgetEndpoints,
      absences: () => cache.forgetAbsences(),
      async confirm() {
        const { ttl, staleIfUnavailable } = settings.cache;
        // Without a cache, no process serves an old state.
        if (ttl === 0) return { acknowledged: 1, missing: 0 };
        // A replica may have been so old already when it was read.
        const { maxLag = 0 } = store.mirror ?? {};
        try {
          if (store.confirm) return await store.confirm(ttl + maxLag);
        } catch (error) {
          // The change itself was made. A failed confirmation must not look like a failed change.
          events.fault('feed', error, time.latest);
        }
        // No confirmation is possible. After this time no cache can hold the old state.
        await delay(ttl + maxLag + staleIfUnavailable);
        return { acknowledged: 1, missing: 0 };
      },
    },
    flush: () => usage.flush(),
    async close() {
      holding.closed = true;
      holding.leases?.close();
      await usage.close();
      unsubscribe?.();
      unwatch?.();
      forgetAll();
    },
  };
}
