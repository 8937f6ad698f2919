import { ofPeer, type PeerCall } from '../../transports/zones.js';
import { type Answer, isGrpc, malformed, NOT_TRUSTED, type Refusal, rpcHeaders } from '../answers.js';
import { aliasesIn } from '../identity.js';
import { type Told, toldOf, type Unreadable } from '../told.js';
import { type CheckRequest, type CheckResponse, readCheckRequest, writeCheckResponse } from './messages.js';

/** A service definition and its handlers, as `server.addService` of grpc-js takes them. This entry does not load grpc-js. */
export interface EnvoyService {
  readonly definition: {
    readonly Check: {
      readonly path: '/envoy.service.auth.v3.Authorization/Check';
      readonly requestStream: false;
      readonly responseStream: false;
      requestSerialize(bytes: Buffer): Buffer;
      requestDeserialize(bytes: Buffer): Buffer;
      responseSerialize(bytes: Buffer): Buffer;
      responseDeserialize(bytes: Buffer): Buffer;
    };
  };
  readonly handlers: {
    Check(call: PeerCall & { readonly request: Buffer }, callback: (error: null, response: Buffer) => void): void;
  };
}

/** What the service needs of a gateway. */
interface Gate {
  isTrusted(peer: string | undefined): boolean;
  /** Never rejects. */
  decide(told: Told | Unreadable, peer: string): Promise<Answer>;
  /** Reports a fault and refuses the call. */
  refuse(error: unknown): Refusal;
}

const plain = (bytes: Buffer) => bytes;

/** The messages are read and written by the handler: a message that can't be read is a refusal, not a broken call. */
const DEFINITION: EnvoyService['definition'] = Object.freeze({
  Check: Object.freeze({
    path: '/envoy.service.auth.v3.Authorization/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: plain,
    requestDeserialize: plain,
    responseSerialize: plain,
    responseDeserialize: plain,
  }),
});

export function envoyService(gate: Gate): EnvoyService {
  async function check(call: PeerCall & { readonly request: Buffer }): Promise<CheckResponse> {
    if (!gate.isTrusted(ofPeer(call).address)) return denied(NOT_TRUSTED, false);
    let request: CheckRequest;
    try {
      request = readCheckRequest(call.request);
    } catch (error) {
      return denied(gate.refuse(error), false);
    }
    const headers = headersOf(request);
    if (headers === null) return denied(malformed('A header is not readable.'), false);
    const answer = await gate.decide(
      toldOf({ headers }, { ...request, target: request.path }, request.context),
      request.source,
    );
    return answer.allowed
      ? { headers: answer.headers, remove: aliasesIn(headers) }
      : denied(answer.refusal, isGrpc(headers));
  }

  return Object.freeze({
    definition: DEFINITION,
    handlers: {
      Check: (call, callback) => {
        check(call)
          .catch((error: unknown) => denied(gate.refuse(error), false))
          .then((answer) => callback(null, Buffer.from(writeCheckResponse(answer))));
      },
    },
  } satisfies EnvoyService);
}

/** `null` if a header can't be read. Pseudo-headers are left out. Several of one name are joined with a comma. */
function headersOf({ headers, raw }: CheckRequest): Headers | null {
  const read = new Headers();
  try {
    for (const [name, value] of headers) {
      if (value === null) return null;
      if (!name.startsWith(':')) read.append(name, value);
    }
  } catch {
    return null;
  }
  // Without the raw headers Envoy shows bytes that are not UTF-8 as `!`: two values could look like one.
  return raw || !(read.get('authorization') ?? '').includes('!') ? read : null;
}

/** A refused gRPC call gets its own status: Envoy would derive another one from the HTTP status. */
function denied({ status, headers, body, rpc }: Refusal, grpc: boolean): CheckResponse {
  const { 'Content-Length': _, ...rest } = headers;
  return {
    code: rpc.code,
    message: rpc.details,
    status,
    headers: grpc ? { ...withoutBody(rest), ...rpcHeaders(rpc) } : rest,
    body: grpc ? '' : body,
  };
}

function withoutBody({ 'Content-Type': _, ...headers }: Readonly<Record<string, string>>): Record<string, string> {
  return headers;
}
