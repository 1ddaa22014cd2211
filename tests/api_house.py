"""A whole daemon with the API's door open and a receiver, for all tests of a module at once.

The daemon is a child process; everything here waits in the test's own thread, with a deadline.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx

_WITHIN_S = 20.0
# The secret of each token is its name, four times over.
_TOKENS = {
    "viewer": 'role = "viewer"\ncustomers = ["acme"]',
    "manager": 'role = "manager"\ncustomers = ["acme"]\negress = "trusted"',
    "other": 'role = "manager"\ncustomers = ["bravo"]\negress = "trusted"',
    "admin": 'role = "admin"\negress = "trusted"',
    "strict": 'role = "owner"\ncustomers = ["acme"]',
}


@dataclass(frozen=True)
class Got:
    """One request of the daemon's."""

    method: str
    path: str
    query: dict[str, str]
    content_type: str
    body: bytes

    def fields(self) -> dict[str, str]:
        """What the form in its body says."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def json(self) -> dict[str, object]:
        """What the JSON in its body says."""
        found: dict[str, object] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """What has arrived, and with which status each path is answered (200)."""

    statuses: dict[str, int] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    port: int = 0

    def url(self, path: str) -> str:
        """Where it can be reached."""
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str, count: int) -> list[Got]:
        """What has arrived at a path, once that is `count` requests."""
        with self.changed:
            self.changed.wait_for(lambda: len(self._at(path)) >= count, _WITHIN_S)
            return self._at(path)

    def _at(self, path: str) -> list[Got]:
        return [one for one in self.got if one.path == path]


class ApiHouse:
    """A daemon in `directory`: its API at a Unix socket, where the TOKENS come in.

    `door` is what [api] says instead of that.
    """

    def __init__(self, directory: Path, text: str, door: str = "") -> None:
        self.directory = directory
        tokens = "".join(
            f'[[api.token]]\nname = "{name}"\ntoken = "{name * 4}"\n{rest}\n'
            for name, rest in _TOKENS.items()
        )
        door = door or f'listen = "{directory}/api.sock"'
        self.config = directory / "callpost.toml"
        self.config.write_text(
            f'state_directory = "{directory}/state"\nruntime_directory = "{directory}/run"\n'
            f'[control]\ngroup = ""\n[api]\n{door}\n{tokens}{text}'
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it is ready; what it logs is in `log`."""
        log = self.directory / "log"
        with log.open("wb") as out:
            command = [sys.executable, "-m", "callpost", "run", "--config", str(self.config)]
            notified, notify = _notify_socket(self.directory)
            with notified:
                self._process = subprocess.Popen(
                    command, stdout=out, stderr=out, env=os.environ | {"NOTIFY_SOCKET": notify}
                )
                while b"READY=1" not in notified.recv(4_096):
                    pass

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        assert self._process is not None
        self._process.send_signal(with_signal)
        self._process.wait(_WITHIN_S)

    def restart(self, with_signal: signal.Signals = signal.SIGKILL) -> None:
        """End it, gently or not, and start it again."""
        self.stop(with_signal)
        self.start()

    @contextmanager
    def client(self, token: str = "", *, username: str = "") -> Iterator[httpx.Client]:
        """A client with the token of this name; "" is the operator on the control socket."""
        path = self.directory / ("api.sock" if token else "run/control.sock")
        headers = {"authorization": f"Bearer {token * 4}"} if token and not username else {}
        auth = httpx.BasicAuth(username, token * 4) if username else None
        transport = httpx.HTTPTransport(uds=str(path))
        with httpx.Client(
            transport=transport,
            base_url="http://callpost",
            headers=headers,
            auth=auth,
            timeout=_WITHIN_S,
        ) as client:
            yield client

    def feed(self, *events: dict[str, object]) -> list[dict[str, object]]:
        """Send events; one reply each."""
        lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
        with socket.socket(socket.AF_UNIX) as producer:
            producer.settimeout(_WITHIN_S)
            producer.connect(str(self.directory / "run" / "events.sock"))
            producer.sendall(lines)
            producer.shutdown(socket.SHUT_WR)
            with producer.makefile("rb") as replies:
                return [json.loads(line) for line in replies]


def an_event(call: str, kind: str, **more: object) -> dict[str, object]:
    """One event of acme's."""
    return {"event": kind, "callId": call, "customer": "acme", **more}


@contextmanager
def an_api_house(directory: Path, text: str = "", *, door: str = "") -> Iterator[ApiHouse]:
    """Running; at the end it is killed."""
    house = ApiHouse(directory, text, door)
    house.start()
    try:
        yield house
    finally:
        house.stop(signal.SIGKILL)


@contextmanager
def a_web_receiver() -> Iterator[Receiver]:
    """An HTTP receiver on loopback."""
    receiver = Receiver()

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            got = Got(
                method=str(self.command),
                path=parts.path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                content_type=self.headers.get("content-type", ""),
                body=self.rfile.read(int(self.headers.get("content-length", "0"))),
            )
            with receiver.changed:
                receiver.got.append(got)
                receiver.changed.notify_all()
            self.send_response(receiver.statuses.get(parts.path, 200))
            self.send_header("content-length", "0")
            self.end_headers()

        do_GET = do_POST = answer  # noqa: N815 - the library looks them up by these names

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        receiver.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def _notify_socket(directory: Path) -> tuple[socket.socket, str]:
    path = directory / "notify.sock"
    path.unlink(missing_ok=True)
    notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notified.settimeout(_WITHIN_S)
    notified.bind(str(path))
    return notified, str(path)
