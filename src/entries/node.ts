export {
  guard,
  type NodeGuardContext,
  type NodeGuardOptions,
  type NodeHttpRequest,
  notFound,
} from '../transports/node.js';
export type { NodeResponse } from '../transports/node-answer.js';
export { guardUpgrade, type UpgradeGuardOptions } from '../transports/node-upgrade.js';
