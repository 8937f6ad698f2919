"""A service that knows nothing of postern: it tells what it got."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("content-length") or 0)
        left = length
        while left > 0:
            left -= len(self.rfile.read(min(left, 65536)))
        chunked = self.headers.get("transfer-encoding", "") == "chunked"
        while chunked and (size := int(self.rfile.readline(), 16)) >= 0:
            length += len(self.rfile.read(size))
            self.rfile.readline()
            chunked = size > 0
        # `self.path` has fewer slashes.
        target = self.requestline.split(" ")[1]
        got = {"reached": True, "method": self.command, "target": target, "length": length, "headers": self.headers.items()}
        body = json.dumps(got).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = answer

    def log_message(self, *_):
        pass


class Quiet(ThreadingHTTPServer):
    def handle_error(self, *_):
        """A proxy may cut a connection at any time."""


server = Quiet(("127.0.0.1", 0), Echo)
print(server.server_address[1], flush=True)
sys.stdin.close()
server.serve_forever()
