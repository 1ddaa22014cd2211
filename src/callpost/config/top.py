"""The daemon's own tables: directories, intake, spool, delivery, egress and log.

Every key with its default and its range; the Structs of `model.limits` hold the defaults.
"""

from collections.abc import Iterator, Mapping, Sequence
from posixpath import normpath
from typing import Final, Literal, get_args

from msgspec import Struct, convert

from callpost.config.api_door import API
from callpost.config.countries import country
from callpost.config.documents import Document
from callpost.config.faults import Fault, Lookups, Spot
from callpost.config.groups import group
from callpost.config.listening import listening
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
from callpost.model.api_door import Api
from callpost.model.limits import (
    ADMIN_GROUP,
    MIB,
    SOCKET_PATH_MAX_BYTES,
    Control,
    Durability,
    Egress,
    Intake,
    Log,
    Metrics,
    Privacy,
    SpoolLimits,
)
from callpost.model.listening import NetworkPlace, UnixPlace

CONNECT_TIMEOUT = number(0.05, 60)
FIRST_BYTE_TIMEOUT = number(0.05, 300)
WHOLE_TIMEOUT = number(0.05, 300)
CONCURRENCY = whole(1, 256)

INTAKE: Final[Rules] = {
    "stream": text(most=SOCKET_PATH_MAX_BYTES),
    "datagram": text(most=SOCKET_PATH_MAX_BYTES),
    "mode": file_mode,
    "group": group(),
    "max_event_bytes": whole(1_024, MIB),
    "max_connections": whole(1, 10_000),
    "unknown_fields": choice(("refuse", "data")),
}
CONTROL: Final[Rules] = {
    "socket": text(most=SOCKET_PATH_MAX_BYTES),
    "mode": file_mode,
    # The default is a wish: a machine on which callpost is only tried out does not have it.
    "group": group(spared=ADMIN_GROUP),
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
METRICS: Final[Rules] = {
    "listen": listening(9_464),
    "per_subscription": choice(("auto", "never")),
}
LOG: Final[Rules] = {
    "level": choice(("debug", "info", "warning", "error")),
    "format": choice(("auto", "json", "console", "journal")),
    "attempts": choice(("all", "failures")),
}
# Silence is looked for every half a minute.
_LOOK_S: Final = 60.0
CALLS: Final[Rules] = {"end_after": duration("0s", "30d")}
PRIVACY: Final[Rules] = {
    "log_numbers": choice(("full", "masked", "none")),
    "dtmf": choice(("store", "drop")),
}
TENANCY: Final[Rules] = {"customers": choice(("optional", "required"))}
NUMBERS: Final[Rules] = {"country": country}
TOP: Final[Rules] = {
    "state_directory": absolute_path,
    "runtime_directory": absolute_path,
    "credentials_directory": absolute_path,
    "intake": table_of(INTAKE),
    "spool": table_of(SPOOL),
    "delivery": table_of(DELIVERY),
    "egress": table_of(EGRESS),
    "control": table_of(CONTROL),
    "api": table_of(API),
    "metrics": table_of(METRICS),
    "log": table_of(LOG),
    "numbers": table_of(NUMBERS),
    "privacy": table_of(PRIVACY),
    "calls": table_of(CALLS),
    "tenancy": table_of(TENANCY),
    # Subscriptions and presets are read later, when the credentials' directory is known; the
    # customers with them.
    "customer": lambda value, _spot: value,
    "forward": lambda value, _spot: value,
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

    def limits(self, end_after_s: float) -> SpoolLimits:
        """The same as the noun of the model; calls are followed for `end_after_s`."""
        return SpoolLimits(
            max_bytes=self.max_bytes,
            retain_s=self.retain,
            unended_s=end_after_s + _LOOK_S if end_after_s else 0.0,
            retain_dead_s=self.retain_dead,
            max_pending=self.max_pending,
            durability=self.durability,
        )


class NumberTable(Struct, frozen=True):
    """`[numbers]`; "" is no country."""

    country: str = ""


class CallTable(Struct, frozen=True):
    """`[calls]`; 0 ends no call."""

    end_after: float = 21_600.0


class TenancyTable(Struct, frozen=True):
    """`[tenancy]`."""

    customers: Literal["optional", "required"] = "optional"


class Top(Struct, frozen=True, kw_only=True):
    """Everything but the subscriptions."""

    state_directory: str = "/var/lib/callpost"
    runtime_directory: str = "/run/callpost"
    credentials_directory: str = "/etc/callpost/credentials"
    intake: Intake = Intake()
    spool: Spool = Spool()
    delivery: Delivery = Delivery()
    egress: Egress = Egress()
    control: Control = Control()
    api: Api = Api()
    metrics: Metrics = Metrics()
    log: Log = Log()
    numbers: NumberTable = NumberTable()
    privacy: Privacy = Privacy()
    calls: CallTable = CallTable()
    tenancy: TenancyTable = TenancyTable()


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
            elif key not in {"preset", "subscription", "customer", "forward"}:
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
    taken: dict[str, str] = {}
    for key, path in _socket_paths(top):
        if len(path.encode()) > SOCKET_PATH_MAX_BYTES:
            sentence = f"the socket's whole path must have at most {SOCKET_PATH_MAX_BYTES} bytes"
            found.append((key, "range", sentence))
        if path and (other := taken.setdefault(normpath(path), key)) != key:
            found.append((key, "duplicate", f"this is the path of {other}"))
    match top.api.listen, top.metrics.listen:
        case NetworkPlace() as api, NetworkPlace() as metrics if metrics.is_in_the_way_of(api):
            found.append(("metrics.listen", "duplicate", f"api.listen is in its way, at {api}"))
    version = "6" if ":" in top.egress.source_address else "4"
    if top.egress.source_address and top.egress.ip not in {"auto", version}:
        sentence = f"ip = {top.egress.ip} contradicts a source address of version {version}"
        found.append(("egress.source_address", "senseless", sentence))
    return found


def _socket_paths(top: Top) -> Iterator[tuple[str, str]]:
    """The key of each Unix socket and its whole path, "" where it is turned off."""
    for key, name in (
        ("intake.stream", top.intake.stream),
        ("intake.datagram", top.intake.datagram),
        ("control.socket", top.control.socket),
    ):
        is_whole = not name or name.startswith("/")
        yield key, name if is_whole else f"{top.runtime_directory}/{name}"
    for key, place in (("api.listen", top.api.listen), ("metrics.listen", top.metrics.listen)):
        if isinstance(place, UnixPlace):
            yield key, place.path
