"""Where something listens for programs on the network: `host:port`, or a Unix socket's path.

A host is an address, never a name: what a name stands for may change, and a door must not move.
"""

import re
from ipaddress import ip_address
from typing import Final

from callpost.config.faults import Spot
from callpost.config.rules import Rule, text
from callpost.model.limits import SOCKET_PATH_MAX_BYTES
from callpost.model.listening import NetworkPlace, UnixPlace

_HOST_AND_PORT: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):([0-9]{1,9})", re.ASCII)


def listening(usual_port: int) -> Rule:
    """A NetworkPlace or a UnixPlace; None for an empty text, which turns it off."""
    expected = (
        f'expected "127.0.0.1:{usual_port}", "[::1]:{usual_port}",'
        " an absolute path, or an empty text"
    )

    def rule(value: object, spot: Spot) -> object:
        read = text()(value, spot)
        if not isinstance(read, str):
            return read
        if not read:
            return None
        if read.startswith("/"):
            if len(read.encode()) > SOCKET_PATH_MAX_BYTES:
                return spot.report(
                    "range", f"the path must have at most {SOCKET_PATH_MAX_BYTES} bytes"
                )
            return UnixPlace(read)
        parts = _HOST_AND_PORT.fullmatch(read)
        if parts is None:
            return spot.report("address", expected)
        return _network(parts[1], parts[2], spot, expected=expected)

    return rule


def _network(host: str, port: str, spot: Spot, *, expected: str) -> object:
    if not 1 <= int(port) <= 65_535:
        return spot.report("range", "expected a port from 1 to 65535")
    bare = host.removeprefix("[").removesuffix("]")
    try:
        address = ip_address(bare)
    except ValueError:
        hint = "; did you mean 127.0.0.1?" if bare == "localhost" else ""
        return spot.report("address", f"the host must be an IP address, not a name{hint}")
    if (address.version == 6) != host.startswith("[") or "%" in bare:
        return spot.report("address", expected)
    return NetworkPlace(host=str(address), port=int(port))
