import type { TokenTypes } from '../../domain/token-types.js';
import type { Ask as AskOf, RequirementFor } from '../ask.js';
import type { MethodRequirements } from '../methods.js';
import { callOf, type GrpcRequest } from './request.js';

/** The requirement of a method: a value, or a function of the call. */
export type GrpcRequirement<T extends TokenTypes = TokenTypes> = RequirementFor<GrpcRequest, T>;

/** What each method needs, by `/pkg.Service/Method`, or by `/pkg.Service/` for every method of a service. */
export type GrpcRequirements<T extends TokenTypes = TokenTypes> = MethodRequirements<GrpcRequest, T>;

export type Ask = AskOf<GrpcRequest>;

/** How a call of grpc-js is asked about. */
export const GRPC_READING = {
  transport: 'grpc' as const,
  /** Compared with the methods of a token that is good for some methods only. */
  methodOf: ({ path }: GrpcRequest) => path,
  identityOf: callOf,
};
