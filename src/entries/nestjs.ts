export type { Finding } from '../transports/lint.js';
export { noteHandshake } from '../transports/nestjs/call.js';
export { PosternDenied, PosternDeniedFilter } from '../transports/nestjs/denial.js';
export {
  Caller,
  PosternGuard,
  PosternModule,
  type PosternModuleOptions,
  principalOf,
  Requires,
} from '../transports/nestjs/module.js';
export { lintRoutes } from '../transports/nestjs/requirement.js';
