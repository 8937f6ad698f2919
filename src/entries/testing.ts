export { type ControlledStore, controlledStore, type HeldCall } from '../testing/controlled-store.js';
export type { TestRunner } from '../testing/runner.js';
export { type TestClock, testClock } from '../testing/test-clock.js';
export {
  createTestPostern,
  type TestPostern,
  type TestPosternOptions,
  type TestToken,
} from '../testing/test-postern.js';
export { testStore } from '../testing/test-store.js';
