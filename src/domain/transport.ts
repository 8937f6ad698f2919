/** The names of the transports, as metrics show them. */
export const TRANSPORTS = [
  'connect',
  'express',
  'fastify',
  'fetch',
  'gateway',
  'grpc',
  'hono',
  'management',
  'nestjs',
  'node',
] as const;

export type Transport = (typeof TRANSPORTS)[number];
