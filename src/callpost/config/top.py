"""The daemon's own tables: directories, intake, spool, delivery, egress and log.

Every key with its default and its range; the Structs of `model.limits` hold the defaults.
"""

from collections.abc import Mapping, Sequence
from posixpath import normpath
from typing import Final, Literal, get_args

from msgspec import Struct, convert

from callpost.config.documents import Document
from callpost.config.faults import Fault, Lookups, Spot
from callpost.config.measures import duration, file_mode, size
from callpost.config.networks import network, source_address
from callpost.config.rules import (
    Rules,
    absolute_path,
    choice,
    either,
    list_of,
    number,
    read_table,
    table_of,
    text,
    whole,
)
from callpost.model.limits import MIB, Durability, Egress, Intake, Log, SpoolLimits

# The path of a Unix socket has 108 bytes with its closing NUL (unix(7)).
SOCKET_PATH_MAX_BYTES: Final = 107

CONNECT_TIMEOUT = number(0.05, 60)
FIRST_BYTE_TIMEOUT = number(0.05, 300)
WHOLE_TIMEOUT = number(0.05, 300)
CONCURRENCY = whole(1, 256)

INTAKE: Final[Rules] = {
    "stream": text(most=SOCKET_PATH_MAX_BYTES),
    "datagram": text(most=SOCKET_PATH_MAX_BYTES),
    "mode": file_mode,
    "group": text(most=32),
    "max_event_bytes": whole(1_024, MIB),
    "max_connections": whole(1, 10_000),
    "unknown_fields": choice(("refuse", "data")),
}
SPOOL: Final[Rules] = {
    "max_bytes": size(16 * MIB, 2**50, bounds="16MiB to 1024TiB"),
    "retain": duration("0s", "365d"),
    "retain_dead": duration("1m", "3650d"),
    "max_pending": whole(1, 100_000_000),
    "durability": choice(get_args(Durability)),
}
DELIVERY: Final[Rules] = {
    "connect_timeout_s": CONNECT_TIMEOUT,
    "first_byte_timeout_s": FIRST_BYTE_TIMEOUT,
    "timeout_s": WHOLE_TIMEOUT,
    "concurrency": CONCURRENCY,
    "drain_s": number(0, 300),
}
EGRESS: Final[Rules] = {
    "deny": list_of(network),
    "allow": list_of(network),
    "source_address": source_address,
    "ip": either(choice(("auto", "4", "6")), {4: "4", 6: "6"}),
    "keepalive_s": number(0, 3_600),
    "connection_max_age_s": number(1, 86_400),
    "max_connections_per_host": whole(1, 4_096),
}
LOG: Final[Rules] = {
    "level": choice(("debug", "info", "warning", "error")),
    "format": choice(("auto", "json", "console")),
    "attempts": choice(("all", "failures")),
}
TOP: Final[Rules] = {
    "state_directory": absolute_path,
    "runtime_directory": absolute_path,
    "credentials_directory": absolute_path,
    "intake": table_of(INTAKE),
    "spool": table_of(SPOOL),
    "delivery": table_of(DELIVERY),
    "egress": table_of(EGRESS),
    "log": table_of(LOG),
    # Subscriptions and presets are read later, when the credentials' directory is known.
    "preset": lambda value, _spot: value,
    "subscription": lambda value, _spot: value,
}


class Delivery(Struct, frozen=True, kw_only=True):
    """The defaults of every subscription, and how long a stop may take; in seconds."""

    connect_timeout_s: float = 3.0
    first_byte_timeout_s: float = 10.0
    timeout_s: float = 15.0
    concurrency: int = 8
    drain_s: float = 15.0


class Spool(Struct, frozen=True, kw_only=True):
    """`[spool]` with the names of the file; `limits` has those of the program."""

    max_bytes: int = SpoolLimits().max_bytes
    retain: float = SpoolLimits().retain_s
    retain_dead: float = SpoolLimits().retain_dead_s
    max_pending: int = SpoolLimits().max_pending
    durability: Durability = "power"

    def limits(self) -> SpoolLimits:
        """The same as the noun of the model."""
        return SpoolLimits(
            max_bytes=self.max_bytes,
            retain_s=self.retain,
            retain_dead_s=self.retain_dead,
            max_pending=self.max_pending,
            durability=self.durability,
        )


class Top(Struct, frozen=True, kw_only=True):
    """Everything but the subscriptions."""

    state_directory: str = "/var/lib/callpost"
    runtime_directory: str = "/run/callpost"
    credentials_directory: str = "/etc/callpost/credentials"
    intake: Intake = Intake()
    spool: Spool = Spool()
    delivery: Delivery = Delivery()
    egress: Egress = Egress()
    log: Log = Log()


def read_top(
    documents: Sequence[Document],
    environment: Mapping[str, str],
    faults: list[Fault],
    lookups: Lookups,
) -> Top:
    """The daemon's tables of all files; what is faulty has its default here."""
    values = _from_environment(environment, faults)
    for document in documents:
        spot = Spot(file=document.file, path="", faults=faults, lookups=lookups)
        for key, value in read_table(document.table, TOP, spot).items():
            known = values.get(key)
            if isinstance(known, dict) and isinstance(value, dict):
                known.update(value)
            elif key not in {"preset", "subscription"}:
                values[key] = value
    top = convert(values, Top)
    main = documents[0].file if documents else ""
    faults.extend(Fault(main, *found) for found in _contradictions(top))
    return top


def _from_environment(environment: Mapping[str, str], faults: list[Fault]) -> dict[str, object]:
    """Systemd's directories, which win over our defaults; of several the first is ours."""
    values: dict[str, object] = {}
    for key in ("state_directory", "runtime_directory"):
        variable = key.upper()
        directory = environment.get(variable, "").partition(":")[0]
        if directory.startswith("/"):
            values[key] = directory
        elif directory:
            faults.append(Fault("environment", variable, "path", "must be an absolute path"))
    return values


_Found = tuple[str, Literal["range", "duplicate", "senseless"], str]


def _contradictions(top: Top) -> list[_Found]:
    """What no single value shows."""
    found: list[_Found] = []
    stream = _socket_path(top, top.intake.stream)
    datagram = _socket_path(top, top.intake.datagram)
    for key, path in (("stream", stream), ("datagram", datagram)):
        if len(path.encode()) > SOCKET_PATH_MAX_BYTES:
            sentence = f"the socket's whole path must have at most {SOCKET_PATH_MAX_BYTES} bytes"
            found.append((f"intake.{key}", "range", sentence))
    if stream and normpath(stream) == normpath(datagram):
        found.append(("intake.datagram", "duplicate", "this is the path of the stream socket"))
    version = "6" if ":" in top.egress.source_address else "4"
    if top.egress.source_address and top.egress.ip not in {"auto", version}:
        sentence = f"ip = {top.egress.ip} contradicts a source address of version {version}"
        found.append(("egress.source_address", "senseless", sentence))
    return found


def _socket_path(top: Top, name: str) -> str:
    """The socket's whole path, "" where it is turned off."""
    return name if not name or name.startswith("/") else f"{top.runtime_directory}/{name}"
