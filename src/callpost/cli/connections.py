"""What came of `check --connect`, for people: a line for each endpoint."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console

from callpost.cli.paper import put, width_of
from callpost.cli.tables import Cell, Column, table
from callpost.model.connection import Connection

# The fault is what is looked for: it stays whole for as long as there is any room.
_COLUMNS: Final = (
    Column(title="SUBSCRIPTION", least=8, unbroken=True),
    Column(title="PLACE"),
    Column(title="ENDPOINT", least=12),
    Column(title="ADDRESS", rank=2),
    Column(title="TIMES", least=8, rank=1),
    Column(title="RESULT", least=16),
)


def show_connections(connections: Sequence[Connection], console: Console) -> None:
    """Print a line for each, as wide as there is room."""
    put(table(_COLUMNS, map(_row, connections), width_of(console)), console)


def _row(one: Connection) -> tuple[Cell | str, ...]:
    endpoint = f"{one.endpoint} via {one.via}" if one.via else one.endpoint
    result = Cell(_success(one), "green") if one.ok else Cell(one.fault, "red")
    return (one.subscription, one.place, endpoint, one.address or "-", _times(one), result)


def _times(one: Connection) -> str:
    """`name 1.2 ms, connect 20.1 ms, TLS 41 ms`, as far as it came."""
    steps = (("name", one.resolve_ms), ("connect", one.connect_ms), ("TLS", one.tls_ms))
    return ", ".join(f"{step} {ms:g} ms" for step, ms in steps if ms is not None) or "-"


def _success(one: Connection) -> str:
    words = ["name found, UDP does not answer" if one.endpoint.startswith("udp:") else "connected"]
    if one.tls_version:
        words.append(one.tls_version)
    if one.certificate_ends_at is not None:
        words.append(f"certificate ends {one.certificate_ends_at[:10]}")
    return ", ".join(words)
