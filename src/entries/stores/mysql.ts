export * from '../../stores/mysql/index.js';
