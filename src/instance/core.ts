import { createDigester, type Digester } from '../base/digest.js';
import { Events } from '../base/events.js';
import { guardedStore } from '../base/guarded-store.js';
import type { Settings } from '../base/options.js';
import { delay } from '../base/runtime.js';
import { Time } from '../base/time.js';
import { TokenReader } from '../base/token-reader.js';
import { EndpointDirectory } from '../deciding/endpoint-directory.js';
import { TokenCache } from '../deciding/token-cache.js';
import { UsageRecorder } from '../deciding/usage.js';
import type { Confirmation, Store } from '../ports/store.js';

/** What the use cases of one instance share. */
export interface Core {
  readonly settings: Settings;
  readonly store: Store;
  readonly time: Time;
  readonly events: Events;
  readonly usage: UsageRecorder;
  readonly reader: TokenReader;
  readonly digester: Digester;
  readonly cache: TokenCache;
  readonly directory: EndpointDirectory;
  /** A token was changed here: nothing that was read of it before is served again. */
  tokenChanged(id: string): void;
  /** Resolves once no live process serves what was changed before: each has said so, or what it knew is too old. */
  confirm(): Promise<Confirmation>;
  /** Flushes what waits, and closes the store. Idempotent. */
  close(): Promise<void>;
}

export function createCore(settings: Settings): Core {
  const store = guardedStore(settings.store);
  const events = new Events(settings.onEvent);
  const usage = new UsageRecorder(store, events);
  const cache = new TokenCache(settings.cache);
  const directory = new EndpointDirectory(store, settings.cache);
  const forget = () => {
    cache.clear();
    directory.clear();
  };
  const setFeed = (connected: boolean) => {
    cache.setFeed(connected);
    directory.setFeed(connected);
    events.emit({ type: 'feed', at: new Date(settings.clock()), connected });
  };
  const time = new Time(settings.clock, () => {
    forget();
    events.fault('clock', new Error('the clock was set back: what was cached is forgotten'), time.latest);
  });
  const unsubscribe = store.subscribe?.((invalidation) => {
    switch (invalidation.kind) {
      case 'token':
        return cache.invalidate(invalidation.id, time.latest);
      case 'endpoints':
        return directory.clear();
      case 'everything':
        return forget();
      case 'lost':
        setFeed(false);
        return events.fault('feed', invalidation.error, time.latest);
      case 'restored':
        setFeed(true);
        return forget();
    }
  });
  let closing: Promise<void> | null = null;
  return {
    settings,
    store,
    time,
    events,
    usage,
    reader: new TokenReader(settings.catalog),
    digester: createDigester(settings.peppers),
    cache,
    directory,
    // By the latest time that was read: a clock that fails must not keep a revocation out.
    tokenChanged: (id) => cache.invalidate(id, time.latest),
    async confirm() {
      const { ttl, staleIfUnavailable } = settings.cache;
      // Where nothing is remembered there is nobody to ask.
      if (ttl === 0) return { acknowledged: 1, missing: 0 };
      try {
        if (store.confirm) return await store.confirm(ttl);
      } catch (error) {
        // The change is made: that it can't be asked about must not look as if it were not.
        events.fault('feed', error, time.latest);
      }
      // Nobody answers; but when the time is over, nobody can have kept what was before.
      await delay(ttl + staleIfUnavailable);
      return { acknowledged: 1, missing: 0 };
    },
    close() {
      closing ??= usage.close().then(() => {
        unsubscribe?.();
        forget();
        return store.close();
      });
      return closing;
    },
  };
}
