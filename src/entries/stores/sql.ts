export * from '../../stores/sql/index.js';
