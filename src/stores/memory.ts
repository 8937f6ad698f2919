import { STORE_METHODS } from '../base/guarded-store.js';
import type { Store } from '../ports/store.js';
import { Listeners } from './shared/listeners.js';

/**
 * A store in this process's memory, for tests and for trying things out. Instances that share one see each other's changes at
 * once. Its content is lost when the process ends. Its audit log keeps the latest 100,000 changes. Closing an instance closes
 * its store for every instance that shares it.
 */
export function memoryStore(): Store {
  const listeners = new Listeners();
  let opening: Promise<Required<Store>> | null = null;
  // Loaded with its first call: a process with another store never loads it.
  const opened = () => {
    opening ??= import('./memory/open.js').then(({ openMemoryStore }) => openMemoryStore(listeners) as Required<Store>);
    return opening;
  };
  const methods = [...STORE_METHODS, 'confirm' as const].map((method) => [
    method,
    // biome-ignore lint/suspicious/noExplicitAny: each call is passed on as it came, to the method of the same name
    async (...given: any[]) => ((await opened())[method] as (...all: any[]) => Promise<unknown>)(...given),
  ]);
  return { ...Object.fromEntries(methods), subscribe: (listener) => listeners.add(listener) };
}
