import type * as Grpc from '@grpc/grpc-js';
import type { EnvoyService } from '../../gateway/envoy/service.js';
import { findDriver } from '../../stores/shared/driver.js';
import { CliError } from '../failure.js';
import type { Listening } from '../serve/listen.js';

/** @throws CliError if grpc-js is not installed, or the address can't be listened on */
export async function listenGrpc(
  { definition, handlers }: EnvoyService,
  { name, port }: { readonly name: string; readonly port: number },
): Promise<Listening> {
  const grpc = findDriver('@grpc/grpc-js') as typeof Grpc | null;
  if (grpc === null) throw new CliError('--grpc-listen needs grpc-js. Run npm install @grpc/grpc-js beside postern');
  const server = new grpc.Server();
  server.addService(definition, handlers as unknown as Grpc.UntypedServiceImplementation);
  const place = name.includes(':') ? `[${name}]` : name;
  const taken = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${place}:${port}`, grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  }).catch((cause) => {
    throw new CliError(`--grpc-listen ${place}:${port} can't be listened on. Give another address`, undefined, {
      cause,
    });
  });
  return {
    url: `grpc://${place}:${taken}`,
    close: () =>
      new Promise((resolve) => {
        const late = setTimeout(() => server.forceShutdown(), 1_000);
        server.tryShutdown(() => {
          clearTimeout(late);
          resolve();
        });
      }),
  };
}
