"""The receiver of HTTP: nginx, one worker, on free ports of loopback, in a folder of its own.

It answers 204 to everything and counts what it got (`stub_status`), at a small part of what a
delivery costs its sender.
"""

import http.client
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import trustme

from bench.children import Child, running, until
from bench.findings import CannotMeasure

INSTALL: Final = (
    "apt-get install --no-install-recommends nginx-light syslog-ng-core syslog-ng-mod-http"
)
_START_S: Final = 10.0
_CONFIGURATION: Final = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections {descriptors}; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ return 204; }}
    location = /status {{ stub_status; }}
  }}
  server {{
    listen 127.0.0.1:{tls_port} ssl backlog=4096;
    ssl_certificate {folder}/certificate.pem;
    ssl_certificate_key {folder}/certificate.pem;
    location / {{ return 204; }}
  }}
}}
"""
# Enough for a connection from each of a thousand subscriptions, twice over.
_DESCRIPTORS: Final = 8192


def program(name: str) -> str | None:
    """Where a server's program is; /usr/sbin is not on everybody's path."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def free_port() -> int:
    """A port of loopback that nobody has at the moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Nginx:
    """A running nginx: its two URLs, and how many requests it has got."""

    def __init__(self, child: Child, *, port: int, tls_port: int, ca_file: Path) -> None:
        self.child = child
        self.url = f"http://127.0.0.1:{port}/calls"
        self.tls_url = f"https://127.0.0.1:{tls_port}/calls"
        self.ca_file = ca_file
        self._status = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self._asked = 0

    def requests(self) -> int:
        """All requests so far but our own."""
        self._status.request("GET", "/status")
        self._asked += 1
        words = self._status.getresponse().read().split()
        return int(words[words.index(b"requests") + 3]) - self._asked

    def wait_for(self, requests: int, *, sender: Child, within_s: float) -> float:
        """Wait until so many have come in all, from a sender that lives; returns when."""

        def all_arrived() -> bool:
            sender.check()
            return self.requests() >= requests

        missing = requests - self.requests()
        until(all_arrived, within_s=within_s, what=f"The arrival of {missing:,} requests")
        return time.monotonic()

    def answers(self) -> bool:
        """Whether it is up."""
        self.child.check()
        try:
            self.requests()
        except OSError:
            self._status.close()
            self._asked = 0
            return False
        return True

    def close(self) -> None:
        """Hang up."""
        self._status.close()


@contextmanager
def nginx_running(folder: Path, *, port: int | None = None) -> Iterator[Nginx]:
    """Run nginx in `folder`, on `port` or any free one."""
    path = program("nginx")
    if path is None:
        raise CannotMeasure(f"nginx is not installed; as root: {INSTALL}")
    folder.mkdir()
    port, tls_port = port or free_port(), free_port()
    ca_file = _certificates(folder)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(folder=folder, port=port, tls_port=tls_port, descriptors=_DESCRIPTORS)
    )
    command = [path, "-p", folder, "-e", folder / "errors", "-c", configuration]
    with running(command, log=folder / "output") as child:
        receiver = Nginx(child, port=port, tls_port=tls_port, ca_file=ca_file)
        with closing(receiver):
            until(receiver.answers, within_s=_START_S, what="The start of nginx")
            yield receiver


def _certificates(folder: Path) -> Path:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "certificate.pem"))
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    return folder / "authority.pem"
