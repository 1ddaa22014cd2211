"""`callpost listen`: a receiver for trying things out, which shows what arrives.

What came from outside is escaped before it reaches the terminal, and credentials are masked.
"""

import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Final

import asyncclick as click
import msgspec
import trio

from callpost.cli.options import NumberRange
from callpost.edge.listen import (
    AddressUnusable,
    Arrived,
    Behaviour,
    bind_http,
    bind_tcp,
    bind_udp,
    serve_http,
    serve_tcp,
    serve_udp,
)
from callpost.model.disclosure import MASK
from callpost.model.terminal import escaped

# Of these a receiver needs to know only that they came.
_SECRET: Final = re.compile("auth|cookie|token|secret|password|api-?key", re.IGNORECASE)
# The transport's own business, of no interest to who tries out a subscription.
_PLUMBING: Final = frozenset(
    {"host", "connection", "content-length", "accept", "accept-encoding", "user-agent"}
)

_Serve = Callable[[], Awaitable[None]]


def _port(_: click.Context, __: click.Parameter, text: str) -> int | None:
    if text == "off":
        return None
    if not (text.isdecimal() and len(text) <= 5 and int(text) <= 65_535):
        raise click.BadParameter("give a port (0 takes any free one) or `off`.")
    return int(text)


# \b keeps the lines as they are.
_EXAMPLES: Final = """\b
Examples:
  callpost listen
  callpost listen --status 503 --tcp off --udp off
  callpost listen --http 0 --count 1 --json
"""


@click.command(epilog=_EXAMPLES)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--http",
    default="8900",
    show_default=True,
    metavar="PORT|off",
    callback=_port,
    help="The port for HTTP.",
)
@click.option(
    "--tcp",
    default="8901",
    show_default=True,
    metavar="PORT|off",
    callback=_port,
    help="The port for TCP.",
)
@click.option(
    "--udp",
    default="8902",
    show_default=True,
    metavar="PORT|off",
    callback=_port,
    help="The port for UDP.",
)
@click.option(
    "--status",
    type=click.IntRange(200, 599),
    default=200,
    show_default=True,
    help="Answer with this status.",
)
@click.option(
    "--delay",
    type=NumberRange(0, 3600),
    default=0.0,
    metavar="SECONDS",
    help="Answer only after so long.",
)
@click.option("--drop", is_flag=True, help="Close the connection instead of answering.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="End after N arrivals.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per arrival.")
async def listen(  # noqa: PLR0913 - one argument per option
    *,
    host: str,
    http: int | None,
    tcp: int | None,
    udp: int | None,
    status: int,
    delay: float,
    drop: bool,
    count: int | None,
    as_json: bool,
) -> None:
    """Receive over HTTP, TCP and UDP, and show what arrives, until Ctrl-C.

    TCP lines are answered with the status as well, as a subscription with `ack = true` expects;
    UDP has no answer. Credentials in headers are masked.

    Exit status: 0 after Ctrl-C or N arrivals, 1 when an address cannot be used, 2 for wrong
    usage.
    """
    audience = _Audience(count, _as_json if as_json else _as_text)
    behave = Behaviour(status=status, delay_s=delay, drop=drop)
    async with AsyncExitStack() as held:
        signals = held.enter_context(trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM))
        receivers = await _receivers(
            held, audience=audience, behave=behave, host=host, ports=(http, tcp, udp)
        )
        if not receivers:
            raise click.UsageError("HTTP, TCP and UDP are all off.")
        await _serve(receivers, audience, signals)


class _Audience:
    """Shows arrivals, and knows when there were enough of them."""

    def __init__(self, count: int | None, shown: Callable[[Arrived], str]) -> None:
        self._count = count
        self._shown = shown
        self._arrived = self._finished = 0
        self.satisfied = trio.Event()

    def arrived(self, arrival: Arrived) -> None:
        """Show it, unless there were enough before it."""
        if self._arrived != self._count:
            self._arrived += 1
            try:
                click.echo(self._shown(arrival))
            except BrokenPipeError:
                # Whoever read our output has seen enough.
                self.satisfied.set()

    def finished(self) -> None:
        """Note that an arrival has got its answer."""
        self._finished += 1
        if self._finished == self._count:
            self.satisfied.set()


async def _receivers(
    held: AsyncExitStack,
    *,
    audience: _Audience,
    behave: Behaviour,
    host: str,
    ports: tuple[int | None, int | None, int | None],
) -> list[_Serve]:
    """Bind everything before anything is served, and say where."""
    http, tcp, udp = ports
    arrived, finished = audience.arrived, audience.finished
    receivers: list[_Serve] = []
    try:
        if http is not None:
            listener = await held.enter_async_context(await bind_http(host, http))
            serve = partial(serve_http, listener, arrived=arrived, finished=finished)
            receivers.append(partial(serve, behave=behave))
            _announce("http", listener.socket)
        if tcp is not None:
            listener = await held.enter_async_context(await bind_tcp(host, tcp))
            serve = partial(serve_tcp, listener, arrived=arrived, finished=finished)
            receivers.append(partial(serve, behave=behave))
            _announce("tcp", listener.socket)
        if udp is not None:
            place = held.enter_context(await bind_udp(host, udp))
            receivers.append(partial(serve_udp, place, arrived=arrived, finished=finished))
            _announce("udp", place)
    except AddressUnusable as fault:
        raise click.ClickException(str(fault)) from None
    return receivers


def _announce(transport: str, place: trio.socket.SocketType) -> None:
    host, port, *_ = place.getsockname()
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"Listening on {transport}://{shown}:{port}", err=True)


async def _serve(receivers: list[_Serve], audience: _Audience, signals: AsyncIterator[int]) -> None:
    """In its nursery live the receivers and who ends them: a signal, or enough arrivals."""

    async def end_at_signal() -> None:
        async for _ in signals:
            audience.satisfied.set()

    async with trio.open_nursery() as nursery:
        for receiver in receivers:
            nursery.start_soon(receiver)
        nursery.start_soon(end_at_signal)
        await audience.satisfied.wait()
        nursery.cancel_scope.cancel()


def _as_json(arrival: Arrived) -> str:
    shown = {
        "arrivedAt": _utc(arrival.arrived_at),
        "transport": arrival.transport,
        "method": arrival.method,
        "target": arrival.target,
        "headers": [[name, _masked(name, value)] for name, value in arrival.headers],
        "content": arrival.content.decode("utf-8", "backslashreplace"),
    }
    # All in ASCII: what is not could move the terminal's cursor. DEL is the one ASCII character
    # that JSON need not escape and a terminal does not print.
    return json.dumps(shown).replace("\x7f", "\\u007f")


def _utc(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_text(arrival: Arrived) -> str:
    time = datetime.fromtimestamp(arrival.arrived_at, UTC).astimezone()
    head = f"{time:%H:%M:%S.%f}"[:-3] + f"  {arrival.transport}"
    if arrival.transport == "http":
        head += f"  {arrival.method} {escaped(arrival.target)}"
    lines = [click.style(head, bold=True)]
    lines += [
        f"  {name.lower()}: {escaped(_masked(name, value))}"
        for name, value in arrival.headers
        if name.lower() not in _PLUMBING
    ]
    lines += [f"  {escaped(line)}" for line in _content(arrival.content).split("\n")]
    return "\n".join(lines)


def _content(content: bytes) -> str:
    text = content.decode("utf-8", "backslashreplace")
    if not sys.stdout.isatty():
        return text
    try:
        return msgspec.json.format(text, indent=2)
    except msgspec.MsgspecError:
        return text


def _masked(name: str, value: str) -> str:
    if not _SECRET.search(name):
        return value
    # Which scheme of HTTP authentication it is, is worth knowing and no secret.
    scheme, space, _ = value.partition(" ")
    known = space and name.lower().endswith("authorization")
    return f"{scheme} {MASK}" if known else MASK
