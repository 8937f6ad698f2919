/** What a framework knew of a request and a `Request` does not say. */
interface Native {
  /** The framework's own request. */
  readonly source: unknown;
  /** Of the socket; `null` where there is none. */
  readonly address: string | null;
}

const NATIVE = new WeakMap<Request, Native>();
const UNANSWERED = new WeakSet<Response>();

export function setNative(request: Request, native: Native): void {
  NATIVE.set(request, native);
}

export function nativeOf(request: Request): Native {
  return NATIVE.get(request) ?? { source: undefined, address: null };
}

/** Marks the answer to a path that is none of this API's: in Express, the next handler may know it. */
export function markUnanswered(response: Response): Response {
  UNANSWERED.add(response);
  return response;
}

export function isUnanswered(response: Response): boolean {
  return UNANSWERED.has(response);
}
