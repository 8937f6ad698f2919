import { createCertificate } from '../certificate.js';
import { startExpress } from './express.js';
import { startFastify } from './fastify.js';
import { startGrpc } from './grpc.js';
import type { Running, Serving } from './serving.js';

export interface Servers {
  readonly express: Running;
  readonly fastify: Running;
  readonly grpc: Running;
  /** What a gRPC client has to trust, in PEM. */
  readonly certificate: string;
}

/** Starts one server after another; `opened` is told of each, so that it is closed whatever comes later. */
export async function startServers(serving: Serving, opened: (server: Running) => void): Promise<Servers> {
  const keep = (server: Running) => {
    opened(server);
    return server;
  };
  const identity = await createCertificate();
  return {
    express: keep(await startExpress(serving)),
    fastify: keep(await startFastify(serving)),
    grpc: keep(await startGrpc(serving, identity)),
    certificate: identity.certificate,
  };
}
