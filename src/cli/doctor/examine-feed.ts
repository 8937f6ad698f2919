import type { Invalidation, Store } from '../../ports/store.js';
import { type Finding, ok, problem, warning } from './finding.js';

/** How long the first message may take, in milliseconds: longer than a store needs to notice that none comes. */
const PATIENCE = 15_000;
const CONFIRM = 3_000;

/** Sends a message through the store's feed, and waits for it to come back. Nothing is changed for other processes. */
export async function examineFeed(store: Store, isPooled: boolean, now: number): Promise<Finding> {
  if (store.subscribe === undefined) {
    return warning(
      'feed',
      'The store has no feed: other processes see a revocation after cache.ttl (default 30 s)',
      'Set cache.ttl to the longest time that you accept.',
    );
  }
  // Such a store reads the changes of others again and again: nothing is sent that could come back.
  if (store.confirm === undefined) return ok('feed', 'The store looks for changes of other processes by itself');
  let stop = () => {};
  let timer: NodeJS.Timeout | undefined;
  try {
    const first = await new Promise<Invalidation | null>((resolve, reject) => {
      timer = setTimeout(resolve, PATIENCE, null);
      stop = store.subscribe?.((event) => {
        if (event.kind === 'restored' || event.kind === 'lost') resolve(event);
      }) as () => void;
      // The feed begins with a call of the store.
      store.findEntry('doctor', 'probe', now).catch(reject);
    });
    if (first?.kind !== 'restored') return silent(first, isPooled);
    const { acknowledged, missing } = await store.confirm(CONFIRM);
    if (missing > 0) {
      return warning(
        'feed',
        `Messages arrive here, and ${missing} of ${acknowledged + missing} processes that use the store do not answer`,
        'Look for blocked or killed processes, and for ones whose connection is lost: their events of type feed say why.',
      );
    }
    return ok('feed', 'Changes of one process reach the others at once');
  } finally {
    clearTimeout(timer);
    stop();
  }
}

function silent(event: Invalidation | null, isPooled: boolean): Finding {
  if (isPooled) {
    return problem(
      'feed',
      'A pooler in transaction mode stands before PostgreSQL: LISTEN does not work through it, so other processes see a revocation after cache.ttl only',
      'Give a direct connection too: postgresStore({ connectionString, listen: <direct URL> })',
    );
  }
  const why = event?.kind === 'lost' && event.error instanceof Error ? ` (${event.error.message})` : '';
  return problem(
    'feed',
    `The store's messages do not come back${why}`,
    'Until they do, other processes see a revocation after cache.ttl only: look for a proxy or a firewall in between.',
  );
}
