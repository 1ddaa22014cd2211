"""What a good configuration would run, for people: a table on a terminal, plain text in a pipe.

Only origins, places and words: no path, no query, no user name, no secret.
"""

from collections.abc import Collection, Iterator
from textwrap import wrap
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace
from rich import box
from rich.console import Console
from rich.table import Table

from callpost.config import Config
from callpost.model.endpoint import Endpoint, HttpEndpoint, TcpEndpoint, Tls, UdpEndpoint
from callpost.model.subscription import AfterGap, Filter, Stale, Subscription
from callpost.model.terminal import escaped
from callpost.model.vocabulary import KINDS, KINDS_OF

# A mail, a ticket, half a screen.
_WIDTH: Final = 60
_LABEL: Final = 13
# Below it the columns of a table break words.
_TABLE_WIDTH: Final = 100
# The filters that are lists, but for the kinds of event.
_LISTS: Final = (
    *("direction", "flow", "caller", "called", "extension", "extension_type", "dtmf", "cause"),
)

Guarantee = Literal["at_least_once", "best_effort"]


class Door(Struct, frozen=True, kw_only=True):
    """One endpoint, as far as it may be shown.

    `on` says which ends the report is about, `way` how it is reached: HTTP/2, through a proxy.
    """

    place: str
    origin: str
    way: tuple[str, ...] = ()
    method: str
    level: int
    on: tuple[str, ...] = ()
    secured: tuple[str, ...]
    guarantee: Guarantee


class Row(Struct, frozen=True, kw_only=True):
    """One subscription in a few words."""

    name: str
    enabled: bool
    vocabulary: str
    events: tuple[str, ...]
    only: tuple[str, ...]
    rate_per_s: float
    stale: Stale
    after_gap: AfterGap
    endpoints: tuple[Door, ...]


def rows(config: Config) -> tuple[Row, ...]:
    """The subscriptions in the order of the files."""
    return tuple(map(_row, config.subscriptions))


def show(overview: tuple[Row, ...], console: Console) -> None:
    """Print a table where there is a terminal with room for it, else plain text."""
    if console.is_terminal and console.width >= _TABLE_WIDTH:
        console.print(_table(overview))
    else:
        console.file.write(_plain_text(overview))


def _table(overview: tuple[Row, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("subscription", "events", "endpoint", "method", "secured by", "promise"):
        table.add_column(heading, overflow="fold")
    for row in overview:
        words = (_events(row), *row.only, f"as {row.vocabulary}", *_treatment(row))
        first = (_title(row), "\n".join(words))
        for door in row.endpoints:
            method, secured = f"{door.method} {_content(door)}", ", ".join(door.secured)
            endpoint = "\n".join((door.place, door.origin, *door.way))
            table.add_row(*first, endpoint, method, secured, door.guarantee)
            first = ("", "")
    return table


def _plain_text(overview: tuple[Row, ...]) -> str:
    """A block of lines for each subscription."""
    return "".join(f"{line}\n" for row in overview for line in (*_block(row), ""))


def _row(subscription: Subscription) -> Row:
    callback, report = subscription.callback, subscription.report
    doors = [_door(one) for one in (*subscription.endpoints, callback) if one is not None]
    if report is not None:
        doors.append(replace(_door(report), on=tuple(sorted(subscription.report_on))))
    wanted = subscription.filter.events
    if subscription.filter.dtmf:
        wanted = frozenset({"dtmf"})
    return Row(
        name=subscription.name,
        enabled=subscription.enabled,
        vocabulary=subscription.vocabulary,
        events=tuple(kind for kind in KINDS if kind in wanted),
        only=tuple(_restrictions(subscription.filter)),
        rate_per_s=subscription.rate_per_s,
        stale=subscription.stale,
        after_gap=subscription.after_gap,
        endpoints=tuple(doors),
    )


def _restrictions(wanted: Filter) -> Iterator[str]:
    """The filters beside the kinds of event, each as its key and what it lets pass."""
    if wanted.selection != "ALL":
        yield f"selection {wanted.selection}"
    if wanted.customer not in {"", "*"}:
        yield f"customer {escaped(wanted.customer)}"
    for key in _LISTS:
        values: Collection[str] = getattr(wanted, key)
        if values:
            # A set has no order of its own.
            shown = sorted(values) if isinstance(values, frozenset) else values
            yield f"{key} {' '.join(map(escaped, shown))}"


def _door(endpoint: Endpoint) -> Door:
    return Door(
        place=endpoint.place,
        origin=endpoint.origin,
        way=tuple(_way(endpoint)),
        method=endpoint.method,
        level=endpoint.level,
        secured=tuple(_secured(endpoint)) or ("nothing",),
        guarantee=_guarantee(endpoint),
    )


def _way(endpoint: Endpoint) -> Iterator[str]:
    if isinstance(endpoint, HttpEndpoint):
        if endpoint.http2:
            yield "http2"
        if endpoint.proxy is not None:
            yield f"via {endpoint.proxy.origin}"
        if endpoint.http_client != "own":
            yield f"by {endpoint.http_client}"


def _guarantee(endpoint: Endpoint) -> Guarantee:
    match endpoint:
        case HttpEndpoint() | TcpEndpoint(ack=True):
            return "at_least_once"
        case TcpEndpoint() | UdpEndpoint():
            return "best_effort"


def _secured(endpoint: Endpoint) -> Iterator[str]:
    match endpoint:
        case HttpEndpoint(scheme="https", tls=tls):
            yield _tls(tls)
        case TcpEndpoint(tls=Tls() as tls):
            yield _tls(tls)
    if endpoint.signing_keys:
        yield "signed"
    if isinstance(endpoint, HttpEndpoint):
        if endpoint.body_signature is not None:
            yield "body signed"
        if endpoint.auth is not None:
            yield str(type(endpoint.auth).__struct_config__.tag)
        if any(name.lower() == "authorization" for name, _ in endpoint.headers):
            yield "header"


def _tls(tls: Tls) -> str:
    client = " with client certificate" if tls.client_cert else ""
    return f"tls{client}" if tls.verify else f"tls unverified!{client}"


def _title(row: Row) -> str:
    return row.name if row.enabled else f"{row.name} (disabled)"


def _events(row: Row) -> str:
    everything = KINDS_OF["callpost"]
    return "all events" if everything == set(row.events) else " ".join(row.events)


def _treatment(row: Row) -> Iterator[str]:
    """What is not as it is by default."""
    if row.rate_per_s:
        yield f"at most {row.rate_per_s:g}/s"
    if row.stale == "skip":
        yield "stale skipped"
    if row.after_gap == "skip_call":
        yield "call skipped after a gap"


def _content(door: Door) -> str:
    return f"on {', '.join(door.on)}" if door.on else f"level {door.level}"


def _block(row: Row) -> Iterator[str]:
    yield _title(row)
    yield from _line("vocabulary", row.vocabulary)
    yield from _line("events", _events(row))
    if row.only:
        yield from _line("only", "; ".join(row.only))
    if treatment := ", ".join(_treatment(row)):
        yield from _line("treated", treatment)
    for door in row.endpoints:
        yield from _line(door.place, door.origin)
        yield from _line("", ", ".join(door.way))
        yield from _line("", f"{door.method}, {_content(door)}")
        yield from _line("", f"secured by {', '.join(door.secured)}; {door.guarantee}")


def _line(label: str, text: str) -> Iterator[str]:
    for line in wrap(text, _WIDTH - 2 - _LABEL, break_long_words=False, break_on_hyphens=False):
        yield f"  {label:{_LABEL}}{line}"
        label = ""
