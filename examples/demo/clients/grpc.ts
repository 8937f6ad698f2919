import { Client as Channel, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { HOST } from '../servers/serving.js';
import { payloadOf, TARGETS } from '../targets.js';
import type { Answer, Call, Client } from './client.js';
import { openRelay } from './relay.js';

/** A real grpc-js client over TLS, which trusts the demo's own certificate. */
export async function grpcClient(port: number, certificate: string): Promise<Client> {
  const relay = await openRelay(port);
  const tls = credentials.createSsl(Buffer.from(certificate));
  const options = {
    // A proxy for the internet has no part in calls on this machine.
    'grpc.enable_http_proxy': 0,
    // TLS names the server that it wants, and an address is no such name (RFC 6066 section 3).
    'grpc.ssl_target_name_override': 'localhost',
  };
  const open = (to: number) => new Channel(`${HOST}:${to}`, tls, options);
  const outside = open(port);
  const inside = open(relay.port);
  return {
    transport: 'gRPC',
    protocol: 'grpc',
    call: (call) => send(call.inside ? inside : outside, call),
    close() {
      outside.close();
      inside.close();
      return relay.close();
    },
  };
}

function send(channel: Channel, { tokens, target }: Call): Promise<Answer> {
  const metadata = new Metadata();
  // Several as one comma list: of several keys Node's HTTP/2 sends and reads one only.
  if (tokens.length > 0) metadata.set('authorization', tokens.map((token) => `Bearer ${token}`).join(', '));
  return new Promise((resolve) => {
    channel.makeUnaryRequest(
      TARGETS[target].grpc,
      (value: object) => Buffer.from(JSON.stringify(value)),
      (bytes: Buffer) => JSON.parse(bytes.toString()) as object,
      payloadOf(target),
      metadata,
      { deadline: Date.now() + 10_000 },
      (error: ServiceError | null) => resolve({ ok: error === null, status: status[error?.code ?? status.OK] }),
    );
  });
}
