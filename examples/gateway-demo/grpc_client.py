"""Calls a deployment over gRPC, with the token in the metadata of the call.

grpc_client.py ADDRESS CERTIFICATE HOST METHOD [TOKEN]

A method that ends in /Chat is a stream: each line of the standard input is sent, and each answer is printed at once.
"""

import json
import sys

import grpc

address, certificate, host, method, *token = sys.argv[1:]

with open(certificate, "rb") as file:
    creds = grpc.ssl_channel_credentials(root_certificates=file.read())
if token:
    creds = grpc.composite_channel_credentials(creds, grpc.access_token_call_credentials(token[0]))
# The name stands for DNS: this machine's address has no name.
channel = grpc.secure_channel(address, creds, options=[("grpc.ssl_target_name_override", host)])
form = {"request_serializer": lambda value: json.dumps(value).encode(), "response_deserializer": json.loads}

try:
    if method.endswith("/Chat"):
        prompts = ({"prompt": line.strip()} for line in sys.stdin)
        for answer in channel.stream_stream(method, **form)(prompts):
            print(json.dumps(answer), flush=True)
    else:
        prompt = {"prompt": "What state is Los Angeles in?", "max_length": 100}
        print(json.dumps(channel.unary_unary(method, **form)(prompt, timeout=10)))
except grpc.RpcError as error:
    sys.exit(f"{error.code().name}: {error.details()}")
