export type { TestRunner } from '../testing/runner.js';
export {
  createTestPostern,
  type TestClock,
  type TestPostern,
  type TestPosternOptions,
  type TestToken,
} from '../testing/test-postern.js';
export { testStore } from '../testing/test-store.js';
