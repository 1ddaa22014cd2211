"""`callpost send`: events from a file or a pipe to a running daemon.

It ends well only if the daemon has acknowledged every line; each one that it refused is named.
"""

import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, Final

import asyncclick as click
import msgspec
import trio
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from callpost.cli.options import config_option
from callpost.config import FaultyConfig
from callpost.edge.feed_unix import CannotConnect, End, Fed, Refusal, connected, feed
from callpost.loading import load
from callpost.model.terminal import escaped

_STANDARD_CONFIG: Final = Path("/etc/callpost/callpost.toml")
# Where the .socket units put the intake, and the runtime directory to which they belong.
_UNIT_SOCKET: Final = Path("/run/callpost-intake/events.sock")
_UNIT_RUNTIME_DIRECTORY: Final = "/run/callpost"
_PIECE_MAX_BYTES: Final = 65_536
# Shorter input is through before anybody could read a bar.
_LONG_BYTES: Final = 1_048_576

_WHY: Final[dict[End, str]] = {
    "closed": "The daemon closed the connection",
    "silent": "The daemon does not answer",
    "strange": "What answers is not callpost",
}


# \b keeps the lines as they are.
_EXAMPLES: Final = """\b
Examples:
  callpost send events.ndjson
  tail -F /var/log/pbx/events.ndjson | callpost send
"""


@click.command(epilog=_EXAMPLES)
@click.argument(
    "file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    default="-",
)
@config_option
@click.option(
    "--socket",
    "socket_path",
    type=click.Path(readable=False, path_type=Path),
    help="The daemon's stream socket.  [default: as configured]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
async def send(file: Path, config: Path, socket_path: Path | None, *, as_json: bool) -> None:
    """Send events, one JSON object a line, from FILE or standard input.

    Each event is on disk when it is acknowledged. Refused lines are named on standard error.

    Exit status: 0 when every line was accepted, 1 when one was refused, or the daemon is not
    running or left before the end, 2 for wrong usage.
    """
    path = socket_path or await _configured_socket(config)
    with _opened(file) as source, _progress(source) as progress:
        events = _Input(source)
        try:
            fed = await _feed(path, events, progress)
        except CannotConnect as fault:
            raise click.ClickException(str(fault)) from None
    if fed.end == "http":
        raise click.ClickException(
            f"{path} speaks HTTP, as the control socket does; events are sent to the stream socket."
        )
    _conclude(fed, as_json=as_json)
    if events.fault is not None:
        raise click.ClickException(f"cannot read {file}: {events.fault.strerror}.")


async def _feed(path: Path, events: "_Input", progress: Progress) -> Fed:
    """Feed until the end of the input; Ctrl-C is one, and what was sent is still answered."""
    task = progress.add_task("sending", total=_size(events.source))
    async with connected(path) as daemon, trio.open_nursery() as nursery:
        nursery.start_soon(_end_on_interrupt, events)
        fed = await feed(
            daemon,
            events.pieces(),
            refused=lambda refusal: _tell(refusal, progress.console),
            moved=lambda count: progress.advance(task, count),
        )
        nursery.cancel_scope.cancel()
    return fed


async def _end_on_interrupt(events: "_Input") -> None:
    with trio.open_signal_receiver(signal.SIGINT) as signals:
        async for _ in signals:
            events.end()


async def _configured_socket(config: Path) -> Path:
    # A producer may use the socket without being allowed to read the configuration.
    if config == _STANDARD_CONFIG and _UNIT_SOCKET.exists():
        return _UNIT_SOCKET
    try:
        settings = await trio.to_thread.run_sync(load, config, os.environ)
    except FaultyConfig as faulty:
        fault = next(iter(faulty.faults))
        raise click.ClickException(f"{fault} (`--socket PATH` needs no configuration)") from None
    if not settings.intake.stream:
        raise click.ClickException(f"{config}: intake.stream is turned off there.")
    path = Path(settings.runtime_directory) / settings.intake.stream
    under_units = settings.runtime_directory == _UNIT_RUNTIME_DIRECTORY and _UNIT_SOCKET.exists()
    return _UNIT_SOCKET if under_units and not path.exists() else path


def _opened(file: Path) -> BinaryIO:
    # Without a buffer: what a pipe has is sent at once, and nothing is locked at the end.
    if str(file) != "-":
        return file.open("rb", buffering=0)
    if sys.stdin.isatty():
        click.echo("Events, one JSON object a line; Ctrl-D ends.", err=True)
    return open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)


def _size(source: BinaryIO) -> int | None:
    """How long the input is, None for what may go on for ever."""
    found = os.fstat(source.fileno())
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _progress(source: BinaryIO) -> Progress:
    size = _size(source)
    long = not source.isatty() and (size is None or size >= _LONG_BYTES)
    console = Console(stderr=True, highlight=False)
    return Progress(
        "[progress.description]{task.description}",
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not (long and console.is_terminal),
    )


class _Input:
    """What there is to send; where reading fails, `fault` tells why and what was read counts."""

    def __init__(self, source: BinaryIO) -> None:
        self.source = source
        self.fault: OSError | None = None
        self._reading = trio.CancelScope()
        self._ended = False

    def end(self) -> None:
        """Take no more."""
        self._ended = True
        self._reading.cancel()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield what comes, however it is cut, up to the end."""
        while piece := await self._piece():
            yield piece

    async def _piece(self) -> bytes:
        if self._ended:
            return b""
        with trio.CancelScope() as self._reading:
            try:
                return await trio.to_thread.run_sync(
                    self.source.read, _PIECE_MAX_BYTES, abandon_on_cancel=True
                )
            except OSError as error:
                self.fault = error
        return b""


def _tell(refusal: Refusal, console: Console) -> None:
    place = f" ({refusal.path})" if refusal.path else ""
    sentence = escaped(f"line {refusal.line}: {refusal.error}: {refusal.message}{place}")
    console.print(sentence, markup=False, soft_wrap=True)


def _conclude(fed: Fed, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(fed))
    else:
        click.echo(
            f"{fed.accepted:,} accepted ({_counted(fed.duplicates, 'duplicate')}),"
            f" {fed.refused:,} refused, {fed.matched:,} to deliver"
        )
    if fed.end != "complete":
        raise click.ClickException(
            f"{_WHY[fed.end]}: {_counted(fed.accepted + fed.refused, 'answer')} came,"
            f" {_counted(fed.unanswered, 'line')} sent got none. Events that carry an `id` may"
            " all be sent again: none is stored twice."
        )
    if fed.refused:
        sys.exit(1)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
