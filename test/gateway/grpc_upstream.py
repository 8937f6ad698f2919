"""A gRPC service with the interceptor of examples/upstream: it answers with what it got, once or three times."""

import json
import sys
from concurrent import futures

import grpc

options = json.loads(sys.argv[1])
sys.path.insert(0, options["examples"])


def answer(request, context):
    return json.dumps([*context.invocation_metadata(), [":size", str(len(request))]]).encode()


def stream(request, context):
    for _ in range(3):
        yield answer(request, context)


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method.endswith("/Stream"):
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(answer)


interceptors = []
if options.get("jwks"):
    from postern_hop import HopVerifier, hop_interceptor

    verifier = HopVerifier(options["issuer"], options["audience"], options["jwks"], now=lambda: options["now"])
    interceptors.append(hop_interceptor(verifier))
server = grpc.server(
    futures.ThreadPoolExecutor(4),
    handlers=[Echo()],
    interceptors=interceptors,
    options=[("grpc.max_receive_message_length", 32_000_000)],
)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
