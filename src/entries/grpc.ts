export { lintRoutes } from '../transports/grpc/grpc-lint.js';
export type { CustomAnswer } from '../transports/grpc/grpc-status.js';
export { guard } from '../transports/grpc/guard.js';
export type { GrpcGuardOptions } from '../transports/grpc/options.js';
export { type GrpcHandlerCall, principalOf } from '../transports/grpc/principals.js';
export type { GrpcRequest } from '../transports/grpc/request.js';
export type { GrpcRequirement, GrpcRequirements } from '../transports/grpc/requirements.js';
export type { Finding } from '../transports/lint.js';
