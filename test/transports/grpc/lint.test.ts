import * as grpc from '@grpc/grpc-js';
import { guard, lintRoutes } from 'postern/grpc';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { thrown } from '../../support/outcomes.js';
import { method } from './harness.js';

/** A server with two services, of one and of two methods. */
function serverWith(...interceptors: grpc.ServerInterceptor[]) {
  const server = new grpc.Server({ interceptors });
  for (const paths of [['/models.Models/Read', '/models.Models/Write'], ['/health.Health/Check']]) {
    const service = Object.fromEntries(paths.map((path) => [path, method(path, 'unary')]));
    server.addService(service, Object.fromEntries(paths.map((path) => [path, () => {}])));
  }
  return server;
}

const found = (server: grpc.Server) => lintRoutes(server).map(({ route, problem }) => `${route}: ${problem}`);

describe('lintRoutes of postern/grpc', () => {
  const { postern } = createTestPostern();

  it('lists the methods that declare nothing', () => {
    const guarded = guard(postern, { '/models.Models/Read': { scope: 'models:read' } });
    expect(found(serverWith(guarded))).toEqual([
      '/models.Models/Write: requirement_missing',
      '/health.Health/Check: requirement_missing',
    ]);
    const whole = guard(postern, { '/models.Models/': { scope: 'models:read' }, '/health.Health/': { public: true } });
    expect(found(serverWith((_method, call) => new grpc.ServerInterceptingCall(call), whole))).toEqual([]);
  });

  it('lists every method of a server without a guard', () => {
    expect(found(serverWith())).toHaveLength(3);
  });

  it('refuses what has no methods to see, rather than find nothing', () => {
    for (const other of [{}, null, { handlers: {}, interceptors: [] }, { handlers: new Map() }]) {
      expect(thrown(() => lintRoutes(other as never))).toMatchObject({ code: 'input_invalid', path: 'server' });
    }
  });
});
