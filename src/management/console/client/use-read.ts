import { useEffect, useRef, useState } from 'preact/hooks';
import { isSignedOut } from './api.js';
import { usePage } from './page-context.js';

export type Read<Value> =
  | { readonly state: 'loading' }
  | { readonly state: 'failed'; readonly error: unknown }
  | { readonly state: 'read'; readonly value: Value };

/**
 * Reads something from the API, and again when `keys` change. What was read stays until the next answer. An answer that a later
 * one overtook is dropped. A session that is over leads to the sign-in.
 */
export function useRead<Value>(
  read: (signal: AbortSignal) => Promise<Value>,
  keys: readonly unknown[],
): Read<Value> & { readonly busy: boolean; again(): void } {
  const { signedOut } = usePage();
  const [found, setFound] = useState<Read<Value>>({ state: 'loading' });
  const [busy, setBusy] = useState(true);
  const [turn, setTurn] = useState(0);
  const reading = useRef(read);
  reading.current = read;

  useEffect(() => {
    const abort = new AbortController();
    setBusy(true);
    reading.current(abort.signal).then(
      (value) => {
        if (abort.signal.aborted) return;
        setFound({ state: 'read', value });
        setBusy(false);
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (isSignedOut(error)) return signedOut();
        setFound({ state: 'failed', error });
        setBusy(false);
      },
    );
    return () => abort.abort();
  }, [...keys, turn]);

  return { ...found, busy, again: () => setTurn((last) => last + 1) };
}
