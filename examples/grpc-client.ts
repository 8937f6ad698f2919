/**
 * A client for `grpc.ts`. It prints the answer, or the status of the denial.
 *
 *   npx tsx examples/grpc-client.ts HOST:PORT METHOD [TOKEN]
 *
 * Outside of an example use TLS, because others can read this connection. grpc-js does not insist on TLS, not even for call
 * credentials. Other clients (Python's) refuse to send those over an open channel.
 */
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';

const [address = '', method = '', token] = process.argv.slice(2);

const metadata = new Metadata();
if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);

const client = new Client(address, credentials.createInsecure());
client.makeUnaryRequest(
  method,
  (value: object) => Buffer.from(JSON.stringify(value)),
  (bytes: Buffer) => JSON.parse(bytes.toString()) as object,
  {},
  metadata,
  { deadline: Date.now() + 10_000 },
  (error, value) => {
    console.log(error === null ? `OK ${JSON.stringify(value)}` : `${status[error.code]} ${error.details}`);
    process.exitCode = error === null ? 0 : 1;
    client.close();
  },
);
