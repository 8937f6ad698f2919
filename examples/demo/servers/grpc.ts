import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { guard, principalOf } from 'postern/grpc';
import { internalNetworks } from 'postern/zones';
import { TARGETS } from '../targets.js';
import { HOST, INSIDE, type Running, type Serving } from './serving.js';

interface Identity {
  readonly key: string;
  readonly certificate: string;
}

export async function startGrpc(serving: Serving, { key, certificate }: Identity): Promise<Running> {
  const { postern, deployments, onDenied } = serving;
  const guarded = guard(
    postern,
    {
      '/bento.Summarizer/': { endpoint: 'summarizer' },
      '/bento.Status/': { endpoint: 'status' },
      '/bento.Metrics/': { endpoint: 'metrics' },
      '/bento.Translator/': { endpoint: 'translator' },
      '/bento.Models/List': { scope: 'models:read' },
      '/bento.Models/Create': { scope: 'models:write' },
    },
    { zone: internalNetworks([INSIDE]), onDenied },
  );
  const server = new Server({ interceptors: [guarded] });
  serve(server, {
    [TARGETS.summarizer.grpc]: (call) => deployments.run('summarizer', principalOf(call)),
    [TARGETS.status.grpc]: (call) => deployments.run('status', principalOf(call)),
    [TARGETS.metrics.grpc]: (call) => deployments.run('metrics', principalOf(call)),
    [TARGETS.translator.grpc]: (call) => deployments.run('translator', principalOf(call)),
    [TARGETS['read models'].grpc]: () => deployments.listModels(),
    [TARGETS['write models'].grpc]: (call) => deployments.createModel(call.request, principalOf(call)),
  });

  const credentials = ServerCredentials.createSsl(null, [
    { private_key: Buffer.from(key), cert_chain: Buffer.from(certificate) },
  ]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${HOST}:0`, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { port, close: () => new Promise((resolve) => server.tryShutdown(() => resolve())) };
}

type Call = ServerUnaryCall<unknown, object>;

/** JSON in place of Protocol Buffers: the demo needs no generated code. */
function serve(server: Server, methods: Readonly<Record<string, (call: Call) => object>>): void {
  const service: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const [path, answer] of Object.entries(methods)) {
    service[path] = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: toJson,
      requestDeserialize: fromJson,
      responseSerialize: toJson,
      responseDeserialize: fromJson,
    };
    implementation[path] = (call: Call, done: sendUnaryData<object>) => done(null, answer(call));
  }
  server.addService(service, implementation);
}

function toJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function fromJson(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString());
}
