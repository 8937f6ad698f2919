import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { type GrpcGuardOptions, type GrpcRequirements, guard } from 'postern/grpc';
import { connected, FORMS, type Form, openCall, statusOf } from './harness.js';
export const PATH = '/long.Svc/';

/** A handler's call, whatever its form. */
export type HandlerCall = grpc.ServerDuplexStream<unknown, unknown> & { callback?: grpc.sendUnaryData<unknown> };

interface Opened {
  readonly handlerCall: HandlerCall;
  /** Resolves when the handler is told that its call is cancelled. */
  readonly cancelled: Promise<unknown>;
  readonly http2: ServerHttp2Stream;
}

/** A server whose handlers hand over their calls and answer nothing. */
export async function serve(
  postern: Parameters<typeof guard>[0],
  requirements: GrpcRequirements,
  options: GrpcGuardOptions = {},
) {
  const streams: ServerHttp2Stream[] = [];
  const watch: grpc.ServerInterceptor = (_method, next) => {
    streams.push((next as unknown as { stream: ServerHttp2Stream }).stream);
    return new grpc.ServerInterceptingCall(next);
  };
  const opened: ((value: Opened) => void)[] = [];
  const handler = (handlerCall: HandlerCall, callback: grpc.sendUnaryData<unknown>) => {
    handlerCall.callback = callback;
    opened.shift()?.({
      handlerCall,
      cancelled: once(handlerCall, 'cancelled'),
      http2: streams.at(-1) as ServerHttp2Stream,
    });
  };
  const { running, client } = await connected({
    interceptors: [watch, guard(postern, requirements, options)],
    handlers: Object.fromEntries(
      FORMS.map((form) => [PATH + form, [form, handler as unknown as grpc.UntypedHandleCall] as const]),
    ),
  });
  const next = () => new Promise<Opened>((resolve) => opened.push(resolve));
  return {
    running,
    /** The next call whose handler begins. */
    next,
    /** Begins a call whose responses are read, and waits for its handler. */
    async open(form: Form, metadata?: grpc.Metadata, onResponse: (response: unknown) => void = () => {}) {
      const handling = next();
      const clientCall = openCall(client, { form, path: PATH + form, ...(metadata && { metadata }) }, onResponse);
      const status = statusOf(clientCall);
      return { clientCall, status, ...(await handling) };
    },
  };
}
