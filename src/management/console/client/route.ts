import { useEffect, useState } from 'preact/hooks';
import { base } from './api.js';
import { closeDialogs } from './parts/dialog.js';

export interface Route {
  /** Below the base, without its query: `api_tokens/42`. */
  readonly path: string;
  /** Another number for each page that was opened. */
  readonly visit: number;
  /** Shows another page. Its heading gets the focus, as after a page load. */
  go(path: string): void;
  /** Corrects the address of the shown page. */
  replace(path: string): void;
  focusHeading(): void;
}

/** The position of the shown page in this tab's history. */
let position = positionIn(history.state);
/** Whether the next `popstate` only returns to the page that could not be left. */
let returning = false;

/** The address of the page within the console. */
export function useRoute(): Route {
  const [visit, setVisit] = useState(0);

  function go(path: string): void {
    position += 1;
    history.pushState({ position }, '', new URL(path, base));
    setVisit((last) => last + 1);
    requestAnimationFrame(focusHeading);
  }

  useEffect(() => {
    /** Back and forward. A dialog with unsaved input stays open, and the address stays too. */
    function onPopState({ state }: PopStateEvent): void {
      if (returning) {
        returning = false;
        return;
      }
      const next = positionIn(state);
      if (!closeDialogs()) {
        returning = true;
        history.go(position - next);
        return;
      }
      position = next;
      setVisit((last) => last + 1);
    }
    addEventListener('popstate', onPopState);
    return () => removeEventListener('popstate', onPopState);
  }, []);

  return {
    path: location.pathname.slice(base.pathname.length),
    visit,
    go,
    replace: (path) => history.replaceState(history.state, '', new URL(path, base)),
    focusHeading,
  };
}

function focusHeading(): void {
  scrollTo(0, 0);
  document.querySelector<HTMLElement>('main h1')?.focus();
}

function positionIn(state: unknown): number {
  const found = typeof state === 'object' && state !== null && 'position' in state ? state.position : 0;
  return typeof found === 'number' ? found : 0;
}
