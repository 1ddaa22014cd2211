"""Puts a log together from its settings; everybody gets theirs handed down from here."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, Protocol, assert_never

import msgspec
import structlog
from msgspec import Struct
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from callpost.edge.logs.attempts import FailuresOnly, JsonAttempts, LoggedAttempts, NoAttempts
from callpost.edge.logs.lines import Lines
from callpost.model.delivery import Attempted
from callpost.model.limits import Log
from callpost.model.terminal import escaped

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
# On a terminal these stand first, in this order.
_LEADING: Final = ("outcome", "reason", "subscription", "kind", "callId", "seq", "attempt")


class _Attempts(Protocol):
    def attempted(self, attempt: Attempted) -> None: ...


class Logs(Struct, frozen=True):
    """`log` for what happens, `attempts` for the one line of each attempt."""

    log: FilteringBoundLogger
    attempts: _Attempts
    lines: Lines | None = None

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """While trio's loop turns: write what one turn has to say together."""
        if self.lines is None:
            yield
            return
        with self.lines.gathered():
            yield


def open_logs(settings: Log, out: BinaryIO) -> Logs:
    """Logs that write to `out`; `auto` is `console` on a terminal, else `json`."""
    style = settings.format
    if style == "auto":
        style = "console" if out.isatty() else "json"
    lines = Lines(out)
    match style:
        case "json":
            log = _wrapped(lines, _for_programs(), settings)
            attempts: JsonAttempts | LoggedAttempts = JsonAttempts(lines)
        case "console":
            log = _wrapped(lines, _for_a_terminal(colours=out.isatty()), settings)
            attempts = LoggedAttempts(log)
        case _ as unreachable:
            assert_never(unreachable)
    return Logs(log, _chosen(attempts, settings), lines)


def collecting_log(collect: Callable[[EventDict], None]) -> FilteringBoundLogger:
    """Return a logger that hands each line's fields to `collect`: for the demo and for tests."""

    def hand_over(_: object, method: str, fields: EventDict) -> EventDict:
        collect({"level": method, **fields})
        raise structlog.DropEvent

    return _wrapped(_Nowhere(), [hand_over], Log(level="debug"))


def collecting_logs(collect: Callable[[EventDict], None]) -> Logs:
    """`collecting_log`, and the attempts with it."""
    log = collecting_log(collect)
    return Logs(log, LoggedAttempts(log))


def _chosen(attempts: JsonAttempts | LoggedAttempts, settings: Log) -> _Attempts:
    if _LEVELS[settings.level] > logging.INFO:
        return NoAttempts()
    return FailuresOnly(attempts) if settings.attempts == "failures" else attempts


def _wrapped(lines: object, processors: list[Processor], settings: Log) -> FilteringBoundLogger:
    log: FilteringBoundLogger = structlog.wrap_logger(
        lines,
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.level]),
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    return log


def _for_programs() -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(serializer=_json),
    ]


def _for_a_terminal(*, colours: bool) -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _for_people,
        structlog.dev.ConsoleRenderer(colors=colours, sort_keys=False, pad_event_to=0),
    ]


class _Nowhere:
    """Never reached: `collecting_log` drops each line after handing it over."""

    def msg(self, _: str) -> None:
        """Nothing to write."""

    debug = info = warning = error = critical = exception = msg


def _json(fields: EventDict, **_: object) -> bytes:
    # What leads a line stands first, so that people can read the raw journal.
    ordered = {name: fields[name] for name in ("timestamp", "level", "event") if name in fields}
    return msgspec.json.encode(ordered | dict(fields), enc_hook=repr)


def _for_people(_: object, __: str, fields: EventDict) -> EventDict:
    """What matters first, nothing that is absent, and nothing that speaks to the terminal."""
    leading = {name: fields[name] for name in _LEADING if name in fields}
    return {
        name: escaped(value) if isinstance(value, str) and name != "exception" else value
        for name, value in (leading | dict(fields)).items()
        if value is not None
    }
