/** An HTTP answer, independent of any framework. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ProblemDetails {
  readonly status: number;
  /** The remedy, in a sentence. */
  readonly detail: string;
  /** Stable: callers match on it. */
  readonly code: string;
  readonly [member: string]: unknown;
}

export const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Seconds to wait after an outage: most are over soon. */
export const RETRY_AFTER = '5';

/** A refusal as `application/problem+json` (RFC 9457), without `instance`. */
export function problemAnswer(
  { status, detail, code, ...members }: ProblemDetails,
  headers: Readonly<Record<string, string>>,
): HttpAnswer {
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      // A denial is about one credential at one moment. Caches keep a 404 unless told otherwise.
      'Cache-Control': 'no-store',
      ...headers,
    },
    body: JSON.stringify({ type: 'about:blank', title: TITLES[status], status, detail, code, ...members }),
  };
}
