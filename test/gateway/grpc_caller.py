"""Makes gRPC calls through a proxy, and prints what came of each: [code, details, number of answers, metadata that the service got].

All calls to a host are made at once on one connection.
"""

import json
import sys

import grpc

given = json.loads(sys.argv[1])
channels = {}


def channel_to(host):
    if host not in channels:
        channels[host] = grpc.insecure_channel(f"127.0.0.1:{given['port']}", options=[("grpc.default_authority", host)])
    return channels[host]


def begun(call):
    metadata = [tuple(pair) for pair in call["metadata"]]
    return channel_to(call["host"]).unary_stream(call["path"])(bytes(call["size"]), metadata=metadata, timeout=15)


def outcome(call):
    try:
        answers = list(call)
        return ["OK", "", len(answers), json.loads(answers[0])]
    except grpc.RpcError as error:
        return [error.code().name, error.details(), 0, []]


print(json.dumps([outcome(call) for call in [begun(each) for each in given["calls"]]]))
