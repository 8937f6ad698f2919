import { type ClientHttp2Stream, connect } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import type { Principal } from 'postern';
import { principalOf } from 'postern/grpc';
import { onTestFinished } from 'vitest';

export const FORMS = ['unary', 'clientStream', 'serverStream', 'bidi'] as const;
export type Form = (typeof FORMS)[number];

export const encode = (value: unknown): Buffer => Buffer.from(JSON.stringify(value ?? null));
export const decode = (bytes: Buffer): unknown => JSON.parse(bytes.toString());

/** The records of a server's handlers. */
export interface Seen {
  /** The paths of the started handlers, in order. */
  readonly started: string[];
  readonly principals: (Principal | null)[];
}

export interface Running {
  readonly address: string;
  readonly seen: Seen;
  readonly server: grpc.Server;
  close(): void;
}

/** A method of one of the four forms, with JSON messages. */
export function method(path: string, form: Form): grpc.MethodDefinition<unknown, unknown> {
  return {
    path,
    requestStream: form === 'clientStream' || form === 'bidi',
    responseStream: form === 'serverStream' || form === 'bidi',
    requestSerialize: encode,
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: decode,
  };
}

export interface ServerSetup {
  readonly interceptors?: grpc.ServerInterceptor[];
  /** Path → form, for methods that echo. */
  readonly echo?: Readonly<Record<string, Form>>;
  /** Path → form and handler. */
  readonly handlers?: Readonly<Record<string, readonly [Form, grpc.UntypedHandleCall]>>;
  readonly credentials?: grpc.ServerCredentials;
  readonly options?: grpc.ServerOptions;
}

/** A server on a free port of 127.0.0.1. */
export async function startServer(setup: ServerSetup): Promise<Running> {
  const seen: Seen = { started: [], principals: [] };
  const server = new grpc.Server({ ...setup.options, interceptors: setup.interceptors ?? [] });
  for (const [path, form] of Object.entries(setup.echo ?? {})) {
    server.addService({ [path]: method(path, form) }, { [path]: echo(form, path, seen) });
  }
  for (const [path, [form, handler]] of Object.entries(setup.handlers ?? {})) {
    server.addService({ [path]: method(path, form) }, { [path]: handler });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', setup.credentials ?? grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, seen, server, close: () => server.forceShutdown() };
}

/** A server and a client of it, until the test ends. */
export async function connected(
  setup: ServerSetup,
): Promise<{ readonly running: Running; readonly client: grpc.Client }> {
  const running = await startServer(setup);
  const client = insecure(running.address);
  onTestFinished(() => {
    client.close();
    running.close();
  });
  return { running, client };
}

function echo(form: Form, path: string, seen: Seen): grpc.UntypedHandleCall {
  const begin = (call: { metadata: grpc.Metadata }) => {
    seen.started.push(path);
    seen.principals.push(principalOf(call) as Principal | null);
  };
  switch (form) {
    case 'unary':
      return (call: grpc.ServerUnaryCall<unknown, unknown>, callback: grpc.sendUnaryData<unknown>) => {
        begin(call);
        callback(null, { got: [call.request] });
      };
    case 'clientStream':
      return (call: grpc.ServerReadableStream<unknown, unknown>, callback: grpc.sendUnaryData<unknown>) => {
        begin(call);
        const got: unknown[] = [];
        call.on('data', (message) => got.push(message));
        call.on('end', () => callback(null, { got }));
      };
    case 'serverStream':
      return (call: grpc.ServerWritableStream<unknown, unknown>) => {
        begin(call);
        call.write({ got: [call.request] });
        call.end();
      };
    case 'bidi':
      return (call: grpc.ServerDuplexStream<unknown, unknown>) => {
        begin(call);
        call.on('data', (message) => call.write({ got: [message] }));
        call.on('end', () => call.end());
      };
  }
}

export interface Outcome {
  readonly code: grpc.status;
  readonly details: string;
  /** Trailing metadata without the parts that change with time. */
  readonly trailers: Record<string, unknown>;
  readonly responses: unknown[];
}

export interface CallSetup {
  readonly form: Form;
  readonly path: string;
  readonly metadata?: grpc.Metadata;
  readonly messages?: readonly unknown[];
  readonly options?: grpc.CallOptions;
}

/** One whole call. */
export async function call(client: grpc.Client, setup: CallSetup): Promise<Outcome> {
  const responses: unknown[] = [];
  const open = openCall(client, setup, (response) => responses.push(response));
  if ('write' in open) {
    for (const message of setup.messages ?? [1, 2, 3]) open.write(message);
    open.end();
  }
  const status = await statusOf(open);
  const trailers = Object.fromEntries(Object.entries(status.metadata.toJSON()).filter(([key]) => key !== 'date'));
  return { code: status.code, details: status.details, trailers, responses };
}

type ClientCall =
  | grpc.ClientUnaryCall
  | grpc.ClientWritableStream<unknown>
  | grpc.ClientReadableStream<unknown>
  | grpc.ClientDuplexStream<unknown, unknown>;

/** Begins a call. Responses are read, unless `onResponse` is left out. */
export function openCall(client: grpc.Client, setup: CallSetup, onResponse?: (response: unknown) => void): ClientCall {
  const { form, path } = setup;
  const metadata = setup.metadata ?? new grpc.Metadata();
  const options = setup.options ?? {};
  const message = setup.messages?.[0] ?? 1;
  const settle: grpc.requestCallback<unknown> = (_error, value) => {
    if (value !== undefined) onResponse?.(value);
  };
  switch (form) {
    case 'unary':
      return client.makeUnaryRequest(path, encode, decode, message, metadata, options, settle);
    case 'clientStream':
      return client.makeClientStreamRequest(path, encode, decode, metadata, options, settle);
    case 'serverStream':
      return reading(client.makeServerStreamRequest(path, encode, decode, message, metadata, options), onResponse);
    case 'bidi':
      return reading(client.makeBidiStreamRequest(path, encode, decode, metadata, options), onResponse);
  }
}

function reading<Stream extends NodeJS.ReadableStream>(
  stream: Stream,
  onResponse?: (response: unknown) => void,
): Stream {
  // The error is in the status too.
  stream.on('error', () => {});
  if (onResponse) stream.on('data', onResponse);
  return stream;
}

/** `once` of `node:events` would reject on the 'error' that a stream emits before its status. */
export function statusOf(open: ClientCall): Promise<grpc.StatusObject> {
  return new Promise((resolve) => open.on('status', resolve));
}

export function bearer(token: string): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

export const insecure = (address: string): grpc.Client => new grpc.Client(address, grpc.credentials.createInsecure());

/** A call by hand, whose client reads nothing until it is told to, and closes its side only for `message`. */
export function rawCall(address: string, path: string, token: string | null, message?: unknown): ClientHttp2Stream {
  const session = connect(`http://${address}`, { settings: { initialWindowSize: 1024 } });
  onTestFinished(() => session.destroy());
  const stream = session.request(
    {
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(token !== null && { authorization: `Bearer ${token}` }),
    },
    { endStream: false },
  );
  stream.on('error', () => {});
  if (message !== undefined) {
    const body = encode(message);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(body.length, 1);
    stream.end(Buffer.concat([prefix, body]));
  }
  return stream;
}
