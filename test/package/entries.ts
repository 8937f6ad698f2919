/**
 * Each entry of the package. It loads the three dependencies at most, and so runs where nothing else is installed. One of
 * `types` has nothing at run time.
 */
export const ENTRIES = [
  { entry: 'postern', node: false },
  { entry: 'postern/express', node: true },
  { entry: 'postern/fastify', node: true },
  { entry: 'postern/fetch', node: false },
  { entry: 'postern/gateway', node: true },
  { entry: 'postern/grpc', node: true },
  { entry: 'postern/hono', node: false },
  { entry: 'postern/nestjs', node: true, peer: '@nestjs/common', also: ['@nestjs/core', 'rxjs'], peerIsEsm: true },
  { entry: 'postern/connect', node: false, peer: '@connectrpc/connect' },
  { entry: 'postern/node', node: true },
  { entry: 'postern/http', node: false },
  { entry: 'postern/jwt', node: false },
  { entry: 'postern/management', node: false },
  { entry: 'postern/otel', node: false, peer: '@opentelemetry/api' },
  { entry: 'postern/zones', node: true },
  { entry: 'postern/limits', node: true },
  { entry: 'postern/store', node: false },
  { entry: 'postern/stores/sqlite', node: true },
  { entry: 'postern/stores/postgres', node: true },
  { entry: 'postern/stores/mysql', node: true },
  { entry: 'postern/stores/sql', node: false },
  { entry: 'postern/stores/redis', node: true },
  { entry: 'postern/testing', node: true },
] as const satisfies readonly {
  readonly entry: string;
  readonly node: boolean;
  readonly peer?: string;
  /** Peers that come with that one. */
  readonly also?: readonly string[];
  /** The peer has no CommonJS build. */
  readonly peerIsEsm?: true;
  readonly types?: true;
}[];

/** What the package itself depends on. */
export const DEPENDENCIES = ['@noble/hashes', 'jose', 'zod'];
