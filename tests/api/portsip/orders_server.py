"""A server that action URLs are asked of: it may want a proof, or never answer.

It computes Digest's proof by itself (RFC 7616), and shares no code with what sends.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from socketserver import BaseServer
from time import monotonic
from typing import Final
from urllib.parse import parse_qsl, urlsplit
from urllib.request import parse_http_list, parse_keqv_list

_WITHIN_S: Final = 20.0
_NONCE: Final = "a-nonce"
_CHALLENGE: Final = f'Digest realm="orders", nonce="{_NONCE}", qop="auth", algorithm=SHA-256'


@dataclass(frozen=True)
class Asked:
    """One request that was let in; `waited_s` is how long the client waited in vain."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    waited_s: float = 0.0


@dataclass
class Orders:
    """What was asked; below /digest only who knows the user's password is let in."""

    username: str = "menu-8000"
    password: str = "s3cret"
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def url(self, path: str) -> str:
        """Where it can be reached."""
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str, count: int = 1) -> list[Asked]:
        """What was asked at a path, once that is `count` requests."""
        with self.changed:
            self.changed.wait_for(lambda: len(self._at(path)) >= count, _WITHIN_S)
            return self._at(path)

    def take(self, asked: Asked) -> None:
        """Remember it."""
        with self.changed:
            self.asked.append(asked)
            self.changed.notify_all()

    def is_proof(self, authorization: str, method: str, target: str) -> bool:
        """Whether it answers the challenge for this request."""
        if not authorization.startswith("Digest "):
            return False
        told = parse_keqv_list(parse_http_list(authorization.removeprefix("Digest ")))
        who = _hashed(f"{self.username}:orders:{self.password}")
        what = _hashed(f"{method}:{target}")
        middle = f"{_NONCE}:{told['nc']}:{told['cnonce']}:auth"
        return (told["uri"], told["response"]) == (target, _hashed(f"{who}:{middle}:{what}"))

    def _at(self, path: str) -> list[Asked]:
        return [one for one in self.asked if one.path == path]


@contextmanager
def an_orders_server() -> Iterator[Orders]:
    """On loopback, until the end."""
    orders = Orders()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Answering, orders)) as server:
        server.daemon_threads = True
        orders.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield orders
        finally:
            server.shutdown()
            thread.join()


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(
        self, orders: Orders, request: socket, address: tuple[str, int], server: BaseServer
    ) -> None:
        self._orders = orders
        # It answers all that comes over this connection before it returns.
        super().__init__(request, address, server)

    def answer(self) -> None:
        parts, waited_s = urlsplit(self.path), 0.0
        body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
        if parts.path.startswith("/digest") and not self._is_let_in():
            return
        if parts.path.startswith("/silent"):
            waited_s = self._silent_s()
        query = dict(parse_qsl(parts.query))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(str(self.command), parts.path, query, headers, body, waited_s)
        self._orders.take(asked)
        if not self.close_connection:
            self._end(200)

    do_GET = do_POST = answer  # noqa: N815 - the library looks them up by these names

    def _is_let_in(self) -> bool:
        authorization = self.headers.get("authorization", "")
        if self._orders.is_proof(authorization, str(self.command), self.path):
            return True
        self._orders.denied.append(authorization)
        self._end(401)
        return False

    def _silent_s(self) -> float:
        """Wait until the client goes away."""
        began = monotonic()
        self.close_connection = True
        self.connection.settimeout(_WITHIN_S)
        self.connection.recv(1)
        return monotonic() - began

    def _end(self, status: int) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("www-authenticate", _CHALLENGE)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()
