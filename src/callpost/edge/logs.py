"""The log: structlog, one JSON object a line, or coloured lines on a terminal.

Nothing is configured globally: `open_log` returns a logger that is handed down. A log that
cannot be written never stops a delivery.
"""

import logging
import os
import select
from collections.abc import Callable
from typing import BinaryIO, Final, assert_never

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from callpost.model.limits import Log
from callpost.model.terminal import escaped

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

# What waits for a reader of the log that has stopped: some thousand lines.
_WAITING_MAX_BYTES: Final = 1024 * 1024
# On a terminal these stand first, in this order.
_LEADING: Final = ("outcome", "reason", "subscription", "kind", "callId", "seq", "attempt")


def open_log(settings: Log, out: BinaryIO) -> FilteringBoundLogger:
    """Return a logger that writes to `out`; `auto` is `console` on a terminal, else `json`."""
    style = settings.format
    if style == "auto":
        style = "console" if out.isatty() else "json"
    processors: list[Processor] = []
    if settings.attempts == "failures":
        processors.append(_without_deliveries)
    processors += [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    match style:
        case "json":
            processors += [
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(serializer=_json),
            ]
        case "console":
            renderer = structlog.dev.ConsoleRenderer(
                colors=out.isatty(), sort_keys=False, pad_event_to=0
            )
            processors += [_for_people, renderer]
        case _ as unreachable:
            assert_never(unreachable)
    return _wrapped(_Lines(out), processors, settings)


def collecting_log(collect: Callable[[EventDict], None]) -> FilteringBoundLogger:
    """Return a logger that hands each line's fields to `collect`: for the demo and for tests."""

    def hand_over(_: object, method: str, fields: EventDict) -> EventDict:
        collect({"level": method, **fields})
        raise structlog.DropEvent

    return _wrapped(_Nowhere(), [hand_over], Log(level="debug"))


def _wrapped(lines: object, processors: list[Processor], settings: Log) -> FilteringBoundLogger:
    log: FilteringBoundLogger = structlog.wrap_logger(
        lines,
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.level]),
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    return log


class _Lines:
    """Writes rendered lines, each at once: who watches sees it now.

    A reader that stops reading must not stop the daemon: what it does not take waits, up to a
    bound, and beyond that lines are dropped and counted.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._descriptor = out.fileno()
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLOUT)
        self._waiting = bytearray()
        self._dropped = 0

    def msg(self, line: str | bytes) -> None:
        data = line.encode("utf-8", "backslashreplace") if isinstance(line, str) else line
        if len(self._waiting) + len(data) > _WAITING_MAX_BYTES:
            self._dropped += 1
        else:
            self._waiting += data + b"\n"
        try:
            self._write()
        except OSError:
            # The reader of our log is gone or its disk is full. Delivering goes on.
            self._waiting.clear()

    def _write(self) -> None:
        while self._waiting and self._poll.poll(0):
            # As much as a pipe that is ready takes without blocking (pipe(7), PIPE_BUF).
            written = os.write(self._descriptor, self._waiting[: select.PIPE_BUF])
            del self._waiting[:written]
            if not self._waiting and self._dropped:
                dropped, self._dropped = self._dropped, 0
                self._waiting += b'{"level":"warning","event":"log.dropped","lines":%d}\n' % dropped

    debug = info = warning = error = critical = exception = msg


class _Nowhere:
    """Never reached: `collecting_log` drops each line after handing it over."""

    def msg(self, _: str) -> None:
        """Nothing to write."""

    debug = info = warning = error = critical = exception = msg


def _json(fields: EventDict, **_: object) -> bytes:
    # What leads a line stands first, so that people can read the raw journal.
    ordered = {name: fields[name] for name in ("timestamp", "level", "event") if name in fields}
    return msgspec.json.encode(ordered | dict(fields), enc_hook=repr)


def _without_deliveries(_: object, __: str, fields: EventDict) -> EventDict:
    if fields["event"] == "delivery.attempted" and fields["outcome"] == "delivered":
        raise structlog.DropEvent
    return fields


def _for_people(_: object, __: str, fields: EventDict) -> EventDict:
    """What matters first, nothing that is absent, and nothing that speaks to the terminal."""
    leading = {name: fields[name] for name in _LEADING if name in fields}
    return {
        name: escaped(value) if isinstance(value, str) and name != "exception" else value
        for name, value in (leading | dict(fields)).items()
        if value is not None
    }
