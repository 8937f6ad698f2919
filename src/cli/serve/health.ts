import { after } from '../../base/runtime.js';
import type { Store } from '../../ports/store.js';
import { type HttpAnswer, problemAnswer, RETRY_AFTER } from '../../transports/problem.js';

/** How long the store may take to answer, in milliseconds. */
const PATIENCE = 2_000;
/** Probes need no credential, so they share one read of the store in this time. Milliseconds. */
const PAUSE = 1_000;

export interface Health {
  /**
   * Answers `/healthz` (the process serves requests) and `/readyz` (so does the store, and it reports the changes of other
   * processes); `null` for other paths. The answers are the same for everyone, and name no address and no error of the store.
   */
  answer(request: Request): Promise<Response> | null;
  /** Stops listening to the store. */
  close(): void;
}

export function healthOf(store: Store, clock: () => number): Health {
  let hears = true;
  let answering: Promise<boolean> | null = null;
  const close = store.subscribe?.(({ kind }) => {
    if (kind === 'lost') hears = false;
    if (kind === 'restored') hears = true;
  });

  function storeAnswers(): Promise<boolean> {
    answering ??= inTime(store.findEntry('health', 'probe', clock())).finally(() =>
      after(PAUSE, () => {
        answering = null;
      }),
    );
    return answering;
  }

  async function ready(): Promise<HttpAnswer> {
    if (!(await storeAnswers())) return notReady('The store does not answer.');
    if (!hears) return notReady('The store does not report the changes of other processes.');
    return OK;
  }

  return {
    answer({ method, url }) {
      const { pathname } = new URL(url);
      const answer = pathname === '/healthz' ? async () => OK : pathname === '/readyz' ? ready : null;
      if (answer === null) return null;
      return (method === 'GET' || method === 'HEAD' ? answer() : Promise.resolve(WRONG_METHOD)).then(
        ({ status, headers, body }) => new Response(method === 'HEAD' ? null : body, { status, headers }),
      );
    },
    close: () => close?.(),
  };
}

const OK: HttpAnswer = {
  status: 200,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: '{"status":"ok"}',
};
const WRONG_METHOD = problemAnswer(
  { status: 405, detail: 'This path takes GET, HEAD.', code: 'method_not_allowed' },
  { allow: 'GET, HEAD' },
);

function notReady(detail: string): HttpAnswer {
  return problemAnswer({ status: 503, detail, code: 'unavailable' }, { 'retry-after': RETRY_AFTER });
}

/** Whether the store gives an answer, and in time. */
function inTime(read: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = after(PATIENCE, () => resolve(false));
    read
      .then(
        () => resolve(true),
        () => resolve(false),
      )
      .finally(cancel);
  });
}
