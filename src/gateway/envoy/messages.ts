import { fieldsOf, joined, lengthDelimited, mapAt, messageAt, messagesAt, textAt, varintField } from './wire.js';

/*
 * The parts of Envoy's published messages that are used here, with their field numbers:
 * envoy/service/auth/v3/external_auth.proto and attribute_context.proto, envoy/config/core/v3/base.proto and address.proto,
 * google/rpc/status.proto.
 */

/** What of a `CheckRequest` is read. */
export interface CheckRequest {
  readonly method: string;
  /** Raw, with its query. */
  readonly path: string;
  readonly host: string;
  readonly scheme: string;
  /** Every header in order; several may have one name. `null`: the header is not UTF-8. */
  readonly headers: readonly (readonly [name: string, value: string | null])[];
  /** Whether Envoy sends the headers as they came (`encode_raw_headers`). */
  readonly raw: boolean;
  /** The address of the caller's socket; `''` if there is none. */
  readonly source: string;
  readonly context: ReadonlyMap<string, string>;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws RangeError, TypeError if the bytes are no `CheckRequest` */
export function readCheckRequest(bytes: Uint8Array): CheckRequest {
  const attributes = messageAt(bytes, 1);
  const source = messageAt(messageAt(attributes, 1), 1);
  const http = messageAt(messageAt(attributes, 4), 2);
  const raw = [...fieldsOf(http)].some(([number]) => number === 13);
  const headers = raw
    ? messagesAt(messageAt(http, 13), 1).map((each) => [textAt(each, 1), valueIn(each)] as const)
    : [...mapAt(http, 3)];
  return {
    method: textAt(http, 2),
    path: textAt(http, 4),
    host: textAt(http, 5),
    scheme: textAt(http, 6),
    headers,
    raw,
    source: textAt(messageAt(source, 1), 2),
    context: mapAt(attributes, 10),
  };
}

/** A `HeaderValue`: `raw_value`, or `value`. */
function valueIn(header: Uint8Array): string | null {
  const [raw] = messagesAt(header, 3);
  if (raw === undefined) return textAt(header, 2);
  try {
    return utf8.decode(raw);
  } catch {
    return null;
  }
}

/** An answer as Envoy reads it. */
export type CheckResponse =
  | {
      /** For the service behind; each replaces the caller's. */
      readonly headers: Readonly<Record<string, string>>;
      readonly remove: readonly string[];
    }
  | {
      /** The gRPC code of the refusal, 1 to 16. */
      readonly code: number;
      readonly message: string;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    };

export function writeCheckResponse(answer: CheckResponse): Uint8Array {
  if (!('code' in answer)) {
    const removed = answer.remove.map((name) => lengthDelimited(5, name));
    const ok = joined([...headerOptions(answer.headers), ...removed]);
    // An empty status is code 0, and an absent one is a refusal.
    return joined([lengthDelimited(1, new Uint8Array()), lengthDelimited(3, ok)]);
  }
  const status = joined([varintField(1, answer.code), lengthDelimited(2, answer.message)]);
  const denied = joined([
    lengthDelimited(1, varintField(1, answer.status)),
    ...headerOptions(answer.headers),
    lengthDelimited(3, answer.body),
  ]);
  return joined([lengthDelimited(1, status), lengthDelimited(2, denied)]);
}

const OVERWRITE_IF_EXISTS_OR_ADD = 2;

/** `repeated HeaderValueOption headers = 2`. Without `keep_empty_value` Envoy would leave the caller's header. */
function headerOptions(headers: Readonly<Record<string, string>>): Uint8Array[] {
  return Object.entries(headers).map(([name, value]) => {
    const header = joined([lengthDelimited(1, name.toLowerCase()), lengthDelimited(2, value)]);
    return lengthDelimited(
      2,
      joined([lengthDelimited(1, header), varintField(3, OVERWRITE_IF_EXISTS_OR_ADD), varintField(4, 1)]),
    );
  });
}
