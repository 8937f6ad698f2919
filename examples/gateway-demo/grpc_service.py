"""A model server over gRPC that knows nothing of postern: one answer to a call, or one to each message of a stream (Chat).

Messages are JSON, so no code is generated.
"""

import json
from concurrent import futures

import grpc


class Models(grpc.GenericRpcHandler):
    def service(self, details):
        def unary(prompt, _context):
            return {"method": details.method, "got": prompt}

        def chat(prompts, context):
            return (unary(prompt, context) for prompt in prompts)

        form = {"request_deserializer": json.loads, "response_serializer": lambda value: json.dumps(value).encode()}
        if details.method.endswith("/Chat"):
            return grpc.stream_stream_rpc_method_handler(chat, **form)
        return grpc.unary_unary_rpc_method_handler(unary, **form)


server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[Models()])
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
