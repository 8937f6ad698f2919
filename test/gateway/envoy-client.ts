import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { EnvoyService } from 'postern/gateway';

const PROTO = fileURLToPath(new URL('external_auth.proto', import.meta.url));
const published = grpc.loadPackageDefinition(loadSync(PROTO, { keepCase: true, enums: String, defaults: true }));

interface HeaderValue {
  readonly key: string;
  readonly value?: string;
  readonly raw_value?: Buffer;
}

interface HeaderOption {
  readonly header: { readonly key: string; readonly value: string };
  readonly append_action: string;
  readonly keep_empty_value: boolean;
}

/** An answer as protobuf.js reads it, by the published names and numbers. */
export interface CheckAnswer {
  readonly status: { readonly code: number; readonly message: string } | null;
  readonly denied_response?: {
    readonly status: { readonly code: number };
    readonly headers: readonly HeaderOption[];
    readonly body: string;
  };
  readonly ok_response?: { readonly headers: readonly HeaderOption[]; readonly headers_to_remove: readonly string[] };
}

/** What Envoy asks about. */
export interface CheckedCall {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: readonly HeaderValue[];
  /** The headers without `encode_raw_headers`: a map. */
  readonly mapped?: Readonly<Record<string, string>>;
  readonly address?: string;
  readonly context?: Readonly<Record<string, string>>;
}

export interface EnvoyClient {
  /** Of the gateway's server. */
  readonly port: number;
  check(call: CheckedCall): Promise<CheckAnswer>;
  /** Sends these bytes in place of a message, and reads the answer. */
  send(bytes: Buffer): Promise<CheckAnswer>;
  close(): void;
}

type Method = grpc.MethodDefinition<unknown, CheckAnswer>;

export type EnvoyHandlers = EnvoyService['handlers'];

/** A gRPC server with the gateway's service. */
export async function serveEnvoy({ definition, handlers }: EnvoyService): Promise<{ port: number; close(): void }> {
  const server = new grpc.Server();
  server.addService(definition, handlers as never);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, close: () => server.forceShutdown() };
}

/** The server, and a client as Envoy is one. */
export async function envoyClient(service: EnvoyService): Promise<EnvoyClient> {
  const { port, close } = await serveEnvoy(service);
  const Client = (
    published.envoy as never as { service: { auth: { v3: { Authorization: grpc.ServiceClientConstructor } } } }
  ).service.auth.v3.Authorization;
  const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const { Check } = Client.service as unknown as { Check: Method };

  function ask<Sent>(serialize: (value: Sent) => Buffer, value: Sent): Promise<CheckAnswer> {
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(Check.path, serialize, Check.responseDeserialize, value, (error, answer) =>
        error ? reject(error) : resolve(answer as CheckAnswer),
      );
    });
  }

  return {
    port,
    check: (call) => ask(Check.requestSerialize, requestOf(call)),
    send: (bytes) => ask((each: Buffer) => each, bytes),
    close() {
      client.close();
      close();
    },
  };
}

function requestOf({
  method = 'GET',
  path = '/',
  host = 'gateway.test',
  headers,
  mapped,
  address,
  context,
}: CheckedCall) {
  return {
    attributes: {
      source: { address: { socket_address: { address: address ?? '198.51.100.7', port_value: 1 } } },
      request: {
        http: {
          method,
          path,
          host,
          scheme: 'https',
          ...(mapped === undefined ? { header_map: { headers: headers ?? [] } } : { headers: mapped }),
        },
      },
      context_extensions: context ?? {},
    },
  };
}

/** The headers of an answer, by name. */
export function headersOf(options: readonly HeaderOption[]): Record<string, string> {
  return Object.fromEntries(options.map(({ header }) => [header.key, header.value]));
}
