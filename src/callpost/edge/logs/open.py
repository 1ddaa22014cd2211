"""Puts a log together from its settings; everybody gets theirs handed down from here."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Literal, assert_never

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from callpost.edge.logs.attempts import Attempts, JsonAttempts, LoggedAttempts
from callpost.edge.logs.entries import entry
from callpost.edge.logs.journal import SOCKET, Journal, is_journal
from callpost.edge.logs.journal_attempts import JournalAttempts
from callpost.edge.logs.lines import Lines
from callpost.edge.logs.threshold import Threshold, loggers
from callpost.model.limits import Log, LogLevel
from callpost.model.terminal import escaped, escaped_json

# On a terminal these stand first, in this order.
_LEADING: Final = ("outcome", "reason", "subscription", "kind", "callId", "seq", "attempt")


class Logs(Struct, frozen=True):
    """`log` for what happens, `attempts` for the one line of each attempt."""

    log: FilteringBoundLogger
    attempts: Threshold
    lines: Lines | Journal | None = None

    @property
    def level(self) -> LogLevel:
        """From which level on lines are logged."""
        return self.attempts.level

    def obey(self, settings: Log) -> None:
        """Log by these settings from now on, but for their format."""
        self.attempts.obey(settings)

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """While trio's loop turns: write what one turn has to say together."""
        if self.lines is None:
            yield
            return
        with self.lines.gathered():
            yield


def open_logs(
    settings: Log,
    out: BinaryIO,
    *,
    environment: Mapping[str, str] | None = None,
    journal: str = SOCKET,
) -> Logs:
    """Logs that write to `out`, or to the journal whose socket is at the path `journal`.

    `auto` is `console` on a terminal, `journal` where systemd made `out` its stream, else `json`.
    """
    style = _style(settings, out, environment or {})
    if style == "journal" and not Path(journal).is_socket():
        logs = open_logs(replace(settings, format="json"), out)
        logs.log.warning("log.journal_missing", socket=journal)
        return logs
    match style:
        case "json":
            lines = Lines(out)
            log = _wrapped(lines, _for_programs(), settings)
            return Logs(log, _chosen(log, JsonAttempts(lines), settings), lines)
        case "journal":
            entries = Journal(journal)
            log = _wrapped(entries, _for_the_journal(), settings)
            return Logs(log, _chosen(log, JournalAttempts(entries), settings), entries)
        case "console":
            lines = Lines(out)
            log = _wrapped(lines, _for_a_terminal(colours=out.isatty()), settings)
            return Logs(log, _chosen(log, LoggedAttempts(log), settings), lines)
        case _ as unreachable:
            assert_never(unreachable)


def _style(
    settings: Log, out: BinaryIO, environment: Mapping[str, str]
) -> Literal["json", "console", "journal"]:
    if settings.format != "auto":
        return settings.format
    if out.isatty():
        return "console"
    return "journal" if is_journal(out, environment) else "json"


def collecting_log(collect: Callable[[EventDict], None]) -> FilteringBoundLogger:
    """Return a logger that hands each line's fields to `collect`: for the demo and for tests."""

    def hand_over(_: object, method: str, fields: EventDict) -> EventDict:
        collect({"level": method, **fields})
        raise structlog.DropEvent

    return _wrapped(_Nowhere(), [hand_over], Log(level="debug"))


def collecting_logs(collect: Callable[[EventDict], None]) -> Logs:
    """`collecting_log`, and the attempts with it."""
    log = collecting_log(collect)
    return Logs(log, _chosen(log, LoggedAttempts(log), Log(level="debug")))


def _chosen(log: FilteringBoundLogger, attempts: Attempts, settings: Log) -> Threshold:
    # What `wrap_logger` returns finds its class when it is first used.
    return Threshold(type(log.bind()), attempts, settings)


def _wrapped(lines: object, processors: list[Processor], settings: Log) -> FilteringBoundLogger:
    log: FilteringBoundLogger = structlog.wrap_logger(
        lines,
        processors=processors,
        wrapper_class=loggers(settings),
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


def _for_the_journal() -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        lambda _, __, fields: entry(fields),
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
    return escaped_json(msgspec.json.encode(ordered | dict(fields), enc_hook=repr))


def _for_people(_: object, __: str, fields: EventDict) -> EventDict:
    """What matters first, nothing that is absent, and nothing that speaks to the terminal."""
    leading = {name: fields[name] for name in _LEADING if name in fields}
    return {
        name: escaped(value) if isinstance(value, str) and name != "exception" else value
        for name, value in (leading | dict(fields)).items()
        if value is not None
    }
