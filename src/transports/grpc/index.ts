export type { CustomAnswer } from './grpc-status.js';
export { guard } from './guard.js';
export type { GrpcGuardOptions } from './options.js';
export { type GrpcHandlerCall, principalOf } from './principals.js';
export type { GrpcRequest } from './request.js';
export type { GrpcRequirement, GrpcRequirements } from './requirements.js';
