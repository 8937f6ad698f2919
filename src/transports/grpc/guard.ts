import type { ServerInterceptingCall, ServerInterceptingCallInterface, ServerInterceptor } from '@grpc/grpc-js';
import type { TokenTypes } from '../../domain/token-types.js';
import type { Postern } from '../../instance/create-postern.js';
import { reporter } from '../ask.js';
import { readMethods } from '../methods.js';
import { markGrpcGuard } from './grpc-lint.js';
import { grpcAnswers } from './grpc-status.js';
import { GuardedCall, type Guarding } from './guarded-call.js';
import { type GrpcGuardOptions, readGrpcOptions } from './options.js';
import { GRPC_READING, type GrpcRequirements } from './requirements.js';

/**
 * A server interceptor that lets a call reach its handler only if the method's requirement is met. Methods without a
 * requirement are refused. It decides before the handler starts and before a message is read.
 *
 * A call that is still open holds a lease. It is closed, and its handler cancelled, when its token has ended, its right is gone or
 * the endpoint's access has changed: at once if the store has a feed, and within `cache.ttl` in any case. If the store is down, an
 * open call survives two looks and is closed at the third, with `UNAVAILABLE`.
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
  const { zone, header, onDenied } = readGrpcOptions(options);
  const { askFor, requirementOf } = readMethods(postern, requirements, zone, GRPC_READING);
  const fault = reporter(postern, 'grpc');
  const guarding: Guarding = {
    header,
    answer: grpcAnswers(onDenied, fault),
    fault,
  };
  const interceptor: ServerInterceptor = (method, call) => {
    const guarded: ServerInterceptingCallInterface = new GuardedCall(guarding, askFor(method.path), method.path, call);
    // The type asks for their class; grpc-js itself asks for no more than the interface.
    return guarded as ServerInterceptingCall;
  };
  markGrpcGuard(interceptor, requirementOf);
  return interceptor;
}
