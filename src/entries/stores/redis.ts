export * from '../../stores/redis/index.js';
