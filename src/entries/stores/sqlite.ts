export * from '../../stores/sqlite/index.js';
