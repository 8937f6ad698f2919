import { type ComponentChildren, createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Session } from '../../wire/types.js';
import { base } from './api.js';

/** The surroundings of a page. */
export interface PageContext {
  readonly session: Session;
  /** For a session that is over: shows the sign-in, and this page again afterwards. */
  readonly signedOut: () => void;
  /** Whether the page was opened by a link of the console. Then its heading gets the focus. */
  readonly opened: boolean;
  /** Shows another page of the console, such as `api_tokens?tab=organization`. */
  readonly go: (path: string) => void;
}

const Context = createContext<PageContext | null>(null);
export const PageProvider = Context.Provider;

export function usePage(): PageContext {
  return useContext(Context) as PageContext;
}

interface LinkProps {
  readonly to: string;
  readonly current?: boolean;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A link to a page of the console. The browser handles new tabs and downloads. */
export function Link({ to, current, children, ...rest }: LinkProps) {
  const { go } = usePage();
  return (
    <a
      {...rest}
      href={new URL(to, base).href.slice(location.origin.length)}
      aria-current={current ? 'page' : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
