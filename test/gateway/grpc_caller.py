"""Makes gRPC calls through a proxy, and prints what came of each: [code, details, number of answers, metadata that the service got]."""

import json
import sys

import grpc

given = json.loads(sys.argv[1])


def outcome(call):
    options = [("grpc.default_authority", call["host"])]
    with grpc.insecure_channel(f"127.0.0.1:{given['port']}", options=options) as channel:
        metadata = [tuple(pair) for pair in call["metadata"]]
        try:
            if call["path"].endswith("/Stream"):
                answers = list(channel.unary_stream(call["path"])(b"1", metadata=metadata, timeout=15))
            else:
                answers = [channel.unary_unary(call["path"])(b"1", metadata=metadata, timeout=15)]
            return ["OK", "", len(answers), json.loads(answers[0])]
        except grpc.RpcError as error:
            return [error.code().name, error.details(), 0, []]


print(json.dumps([outcome(call) for call in given["calls"]]))
