export type { TestRunner } from './runner.js';
export {
  createTestPostern,
  type TestClock,
  type TestPostern,
  type TestPosternOptions,
  type TestToken,
} from './test-postern.js';
export { testStore } from './test-store.js';
