import type { Store, StoreWithin } from '../ports/store.js';
import { createDigester, type Digester } from './digest.js';
import { Events } from './events.js';
import { guardedStore } from './guarded-store.js';
import type { Settings } from './options.js';
import { Time } from './time.js';
import { TokenReader } from './token-reader.js';

/** Shared by the rooms above. It knows none of them. */
export interface Ground {
  readonly settings: Settings;
  readonly store: Store;
  /** In a transaction of the application: {@link StoreWithin.lockEntry}. */
  readonly lockEntry?: StoreWithin['lockEntry'];
  readonly time: Time;
  readonly events: Events;
  readonly reader: TokenReader;
  readonly digester: Digester;
  /** Calls back with the first call of the store: Workers allow no timer before the first request. */
  onFirstUse(callback: () => void): void;
}

export function createGround(settings: Settings): Ground {
  let first = () => {};
  const used = () => {
    const callback = first;
    first = () => {};
    callback();
  };
  const events = new Events(settings.onEvent);
  return {
    settings,
    store: guardedStore(settings.store, used, events),
    onFirstUse(callback) {
      first = callback;
    },
    time: new Time(settings.clock),
    events,
    reader: new TokenReader(settings.catalog),
    digester: createDigester(settings.peppers),
  };
}
