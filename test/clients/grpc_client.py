"""Calls a gRPC server over TLS as a Python service would, and prints what came of it.

Standard input: {"target", "ca", "calls": [{"path", "token" | null, "metadata": [[key, value], ...]}]}.
Standard output: [{"code", "details", "response"}], in the order of the calls.
"""

import json
import sys

import grpc


def outcome(target, ca, call):
    credentials = grpc.ssl_channel_credentials(root_certificates=ca.encode())
    if call.get("token") is not None:
        credentials = grpc.composite_channel_credentials(credentials, grpc.access_token_call_credentials(call["token"]))
    with grpc.secure_channel(target, credentials) as channel:
        method = channel.unary_unary(
            call["path"],
            request_serializer=lambda value: json.dumps(value).encode(),
            response_deserializer=lambda data: json.loads(data),
        )
        metadata = [tuple(pair) for pair in call.get("metadata", [])]
        try:
            return {"code": "OK", "details": "", "response": method(1, metadata=metadata, timeout=15)}
        except grpc.RpcError as error:
            return {"code": error.code().name, "details": error.details(), "response": None}


request = json.load(sys.stdin)
json.dump([outcome(request["target"], request["ca"], call) for call in request["calls"]], sys.stdout)
