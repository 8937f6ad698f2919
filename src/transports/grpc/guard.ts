import type { ServerInterceptingCall, ServerInterceptingCallInterface, ServerInterceptor } from '@grpc/grpc-js';
import type { TokenTypes } from '../../domain/token-types.js';
import type { Postern } from '../../instance/create-postern.js';
import { reporter } from '../ask.js';
import { grpcAnswers } from './grpc-status.js';
import { GuardedCall, type Guarding } from './guarded-call.js';
import { type GrpcGuardOptions, readGrpcOptions } from './options.js';
import { Rechecks } from './rechecks.js';
import { type GrpcRequirements, readRequirements } from './requirements.js';

/**
 * A server interceptor that lets a call through to its handler only if the method's requirement is met; a method that
 * declares none is refused. It decides before the handler starts and before a message is read.
 *
 * A call that is still open is asked about again every `recheckInterval` and is closed, its handler cancelled, once its
 * token has ended or its right is gone. While the store is down, an open call goes on until two rechecks in a row have
 * found it so; the third closes it with `UNAVAILABLE`.
 *
 * Put it first in the list: an interceptor before it sees calls that are not allowed.
 *
 * @example
 * const server = new grpc.Server({
 *   interceptors: [guard(postern, { '/bento.Summarizer/Summarize': { endpoint: 'summarizer' } })],
 * });
 * @throws PosternError `option_invalid`, `option_unknown`, `requirement_invalid`, `scope_unknown`
 */
export function guard<T extends TokenTypes>(
  postern: Postern<T>,
  requirements: GrpcRequirements<NoInfer<T>>,
  options?: GrpcGuardOptions,
): ServerInterceptor {
  const { zone, header, onDenied, recheckInterval } = readGrpcOptions(options);
  const find = readRequirements(postern, requirements, zone);
  const fault = reporter(postern);
  const guarding: Guarding = {
    header,
    rechecks: new Rechecks(recheckInterval),
    answer: grpcAnswers(onDenied, fault),
    fault,
  };
  return (method, call) => {
    const guarded: ServerInterceptingCallInterface = new GuardedCall(guarding, find(method.path), method.path, call);
    // The type asks for their class; grpc-js itself asks for no more than the interface.
    return guarded as ServerInterceptingCall;
  };
}
