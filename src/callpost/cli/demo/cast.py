"""The twelve subscribers of the demo, and the configuration that names them.

Every method over HTTP; POSTJSON, POSTXML1 and GET1 over TCP and UDP too. One is down and has a
fallback.
"""

import re
from typing import Final, Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from callpost.cli.demo.call import KINDS
from callpost.edge.listen import Arrived
from callpost.model.vocabulary import METHODS, Method

Transport = Literal["http", "tcp", "udp"]

_KIND_IN_XML: Final = re.compile(rb"<event>([a-zA-Z]+)</event>")


class Role(Struct, frozen=True, kw_only=True):
    """One subscriber; a `down` one is reached through its fallback only."""

    name: str
    method: Method
    transport: Transport
    down: bool = False


CAST: Final[tuple[Role, ...]] = (
    *(
        Role(name=f"{method.lower()}-http", method=method, transport="http")
        for method in METHODS
        if method != "POSTXML2"
    ),
    Role(name="postxml2-down", method="POSTXML2", transport="http", down=True),
    *(
        Role(name=f"{method.lower()}-{transport}", method=method, transport=transport)
        for transport in ("tcp", "udp")
        for method in ("POSTJSON", "POSTXML1", "GET1")
    ),
)


class Subscriber:
    """What one subscriber has received so far; `retried` is told by the daemon's own log."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.received: list[str] = []
        self.retried = 0

    @property
    def is_content(self) -> bool:
        """Everything is there, once, in the order of the call."""
        return tuple(self.received) == KINDS

    def take(self, arrived: Arrived) -> None:
        """Note the kind of event that arrived, read from its content as the method has it."""
        self.received.append(_kind_of(self.role.method, arrived))


def subscription_toml(role: Role, *, port: int, fallback_port: int | None) -> str:
    """The subscription as an operator would write it."""
    path = "/calls?demo=1" if role.transport == "http" else ""
    lines = [
        "[[subscription]]",
        f'name = "{role.name}"',
        f'url = "{role.transport}://127.0.0.1:{port}{path}"',
        f'method = "{role.method}"',
    ]
    if fallback_port is not None:
        url = f"http://127.0.0.1:{fallback_port}/"
        lines.append(f'fallback = [{{ url = "{url}", method = "{role.method}" }}]')
    return "\n".join(lines) + "\n"


def _kind_of(method: Method, arrived: Arrived) -> str:
    match method:
        case "POSTJSON":
            return str(msgspec.json.decode(arrived.content)["event"])
        case "POSTXML1" | "POSTXML2":
            found = _KIND_IN_XML.search(arrived.content)
            return found[1].decode() if found else "?"
        case "POSTARGS":
            return _parameter(arrived.content.decode())
        case "GET1" | "GET2":
            over_http = arrived.transport == "http"
            query = arrived.target.partition("?")[2] if over_http else arrived.content.decode()
            return _parameter(query)


def _parameter(query: str) -> str:
    return parse_qs(query).get("event", ["?"])[0]
