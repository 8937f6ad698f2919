import { passingOn } from '../base/guarded-store.js';
import type { Store } from '../ports/store.js';
import { Listeners } from './shared/listeners.js';

/**
 * A store in this process's memory, for tests and for trying things out. Instances that share one see each other's changes at
 * once. Its content is lost when the process ends. Its audit log keeps the latest 100,000 changes. Closing an instance closes
 * its store for every instance that shares it.
 */
export function memoryStore(): Store {
  const listeners = new Listeners();
  let opening: Promise<Store> | null = null;
  // Loaded with its first call: a process with another store never loads it.
  const opened = () => {
    opening ??= import('./memory/open.js').then(({ openMemoryStore }) => openMemoryStore(listeners));
    return opening;
  };
  return {
    ...passingOn(async (pass) => pass(await opened())),
    subscribe: (listener) => listeners.add(listener),
  };
}
