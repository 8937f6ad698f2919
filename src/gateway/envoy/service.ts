import { ofPeer, type PeerCall } from '../../transports/zones.js';
import { type Answer, isGrpc, malformed, NOT_TRUSTED, type Refusal, refused, rpcHeaders } from '../answers.js';
import type { Decider } from '../decider.js';
import { type Heard, heardIn } from '../heard.js';
import { aliasesIn } from '../identity.js';
import { toldOf } from '../told.js';
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

export function envoyService(decider: Decider, isTrusted: (peer: string | undefined) => boolean): EnvoyService {
  async function check(call: PeerCall & { readonly request: Buffer }): Promise<CheckResponse> {
    if (!isTrusted(ofPeer(call).address)) return denied(NOT_TRUSTED, false);
    const request = readCheckRequest(call.request);
    const headers = headersOf(request);
    if (headers === null) return denied(malformed('A header is not readable.'), false);
    const answer = await answerTo(request, headers);
    return answer.allowed
      ? { headers: answer.headers, remove: aliasesIn(headers) }
      : denied(answer.refusal, isGrpc(headers));
  }

  async function answerTo(request: CheckRequest, headers: Heard): Promise<Answer> {
    try {
      const told = toldOf(headers, { ...request, target: request.path }, request.context);
      return await decider.decide(told, request.source);
    } catch (error) {
      return refused(decider.refuse(error));
    }
  }

  return Object.freeze({
    definition: DEFINITION,
    handlers: {
      Check: (call, callback) => {
        check(call)
          .catch((error: unknown) => denied(decider.refuse(error), false))
          .then((answer) => callback(null, writeCheckResponse(answer)));
      },
    },
  } satisfies EnvoyService);
}

/** `null` if a header can't be read. Pseudo-headers are left out. */
function headersOf({ headers, raw }: CheckRequest): Heard | null {
  const heard = heardIn(headers.filter(([name]) => !name.startsWith(':')));
  // Without the raw headers Envoy shows bytes that are not UTF-8 as `!`: two values could look like one.
  return raw || !heard?.get('authorization')?.includes('!') ? heard : null;
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
