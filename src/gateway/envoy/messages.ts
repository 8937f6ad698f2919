import { type Bytes, bytesOf, joined, lengthDelimited, Message, toBuffer, varintField } from './wire.js';

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

/** @throws RangeError, TypeError if the bytes are no `CheckRequest` */
export function readCheckRequest(bytes: Buffer): CheckRequest {
  const attributes = new Message(bytes).message(1);
  const http = attributes.message(4).message(2);
  const raw = http.has(13);
  const headers = raw
    ? http
        .message(13)
        .messages(1)
        .map((each) => [each.text(1), valueIn(each)] as const)
    : [...http.map(3)];
  return {
    method: http.text(2),
    path: http.text(4),
    host: http.text(5),
    scheme: http.text(6),
    headers,
    raw,
    source: attributes.message(1).message(1).message(1).text(2),
    context: attributes.map(10),
  };
}

/** A `HeaderValue`: `raw_value`, or `value`. */
function valueIn(header: Message): string | null {
  if (!header.has(3)) return header.text(2);
  try {
    return header.text(3);
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

export function writeCheckResponse(answer: CheckResponse): Buffer {
  if (!('code' in answer)) {
    const removed = answer.remove.map((name) => lengthDelimited(5, bytesOf(name)));
    const ok = joined([...headerOptions(answer.headers), ...removed]);
    // Code 0. Envoy reads an absent status so, too.
    return toBuffer(joined([lengthDelimited(1, bytesOf('')), lengthDelimited(3, ok)]));
  }
  const status = joined([varintField(1, answer.code), lengthDelimited(2, bytesOf(answer.message))]);
  const denied = joined([
    lengthDelimited(1, varintField(1, answer.status)),
    ...headerOptions(answer.headers),
    lengthDelimited(3, bytesOf(answer.body)),
  ]);
  return toBuffer(joined([lengthDelimited(1, status), lengthDelimited(2, denied)]));
}

const OVERWRITE_IF_EXISTS_OR_ADD = 2;

/** `repeated HeaderValueOption headers = 2`. Without `keep_empty_value` Envoy would leave the caller's header. */
function headerOptions(headers: Readonly<Record<string, string>>): Bytes[] {
  return Object.entries(headers).map(([name, value]) => {
    const header = joined([lengthDelimited(1, bytesOf(name.toLowerCase())), lengthDelimited(2, bytesOf(value))]);
    const rest = [varintField(3, OVERWRITE_IF_EXISTS_OR_ADD), varintField(4, 1)];
    return lengthDelimited(2, joined([lengthDelimited(1, header), ...rest]));
  });
}
