import { HOST } from './servers/serving.js';
import { PAYLOAD, TARGETS } from './targets.js';

export interface PythonOptions {
  readonly token: string;
  readonly port: number;
  /** The path of the certificate that it is to trust. */
  readonly authority: string;
}

/**
 * A whole gRPC client that needs Debian's `python3-grpcio` and nothing else: messages are JSON, so that there is no
 * generated code. `client.py [token] [method]` calls something else; an empty token sends none.
 */
export function pythonSource({ token, port, authority }: PythonOptions): string {
  return `import json, sys
import grpc

token = sys.argv[1] if len(sys.argv) > 1 else '${token}'
method = sys.argv[2] if len(sys.argv) > 2 else '${TARGETS.summarizer.grpc}'

with open(${JSON.stringify(authority)}, 'rb') as file:
    credentials = grpc.ssl_channel_credentials(root_certificates=file.read())
if token:
    credentials = grpc.composite_channel_credentials(credentials, grpc.access_token_call_credentials(token))

with grpc.secure_channel('${HOST}:${port}', credentials) as channel:
    call = channel.unary_unary(
        method, request_serializer=lambda value: json.dumps(value).encode(), response_deserializer=json.loads)
    try:
        print(call(${JSON.stringify(PAYLOAD)}, timeout=10))
    except grpc.RpcError as error:
        sys.exit(f'{error.code().name}: {error.details()}')
`;
}
