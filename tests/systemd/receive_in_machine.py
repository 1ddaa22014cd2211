"""A subscriber inside the machine of the tests: tells each request in a line of JSON.

Only the standard library, for the interpreter of the distribution. Ends with its input.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Subscriber(BaseHTTPRequestHandler):
    """Takes everything."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Tell who called, then answer."""
        self.rfile.read(int(self.headers["content-length"]))
        told = {"id": self.headers["webhook-id"], "key": self.headers.get("x-api-key")}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name there
        """Only what arrives is told."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 8900), Subscriber)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.shutdown()
