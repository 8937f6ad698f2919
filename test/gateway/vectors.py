"""Reads vectors from stdin, and prints the names of those that the Python verifier accepts at the second try."""

import json
import sys

sys.path.insert(0, sys.argv[1])
from postern_hop import HopRefused, HopVerifier  # noqa: E402

given = json.load(sys.stdin)
accepted = []
for vector in given["vectors"]:
    verifier = HopVerifier(given["issuer"], given["audience"], given["jwksUrl"], now=lambda: vector["now"])
    for _ in range(2):
        try:
            verifier.verify(vector["hop"], vector["method"], vector["target"])
            is_good = True
        except HopRefused:
            is_good = False
    if is_good:
        accepted.append(vector["name"])
json.dump(accepted, sys.stdout)
